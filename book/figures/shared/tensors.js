// A network's file: safetensors of half floats and integers. Pure: no page.

/** Return the number that 16 bits of IEEE half precision stand for. */
function fromFloat16(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const TYPES = {
  F16: [2, (part) => Float32Array.from(new Uint16Array(part), fromFloat16)],
  F64: [8, (part) => new Float64Array(part)],
  I32: [4, (part) => new Int32Array(part)],
  I8: [1, (part) => new Int8Array(part)],
  U8: [1, (part) => new Uint8Array(part)],
};

/** Throw where something in a file is not as it must be. */
export function insist(fact, what) {
  if (!fact) throw new Error(what);
}

/**
 * Read a safetensors file: {tensors: {name: {shape, values}}, metadata: {name: text}}. What is no
 * such file, or not a whole one, throws.
 */
export function readFile(buffer) {
  insist(buffer.byteLength >= 8, "too short");
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  insist(start <= buffer.byteLength, "its header is cut off");
  const text = new Uint8Array(buffer, 8, start - 8).reduce((all, byte) =>
    all + String.fromCharCode(byte), "");
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text);
  const read = ([name, { dtype, shape, data_offsets: [from, to] }]) => {
    insist(Object.hasOwn(TYPES, dtype), `${name}: a type that is not known`);
    const [bytes, values] = TYPES[dtype];
    const count = shape.reduce((product, size) => product * size, 1);
    insist(shape.every((size) => Number.isInteger(size) && size > 0) && Number.isInteger(from)
      && from >= 0 && to - from === count * bytes && start + to <= buffer.byteLength,
    `${name}: its place does not fit`);
    return [name, { shape, values: values(buffer.slice(start + from, start + to)) }];
  };
  return { tensors: Object.fromEntries(Object.entries(entries).map(read)), metadata };
}

/** Return the tensors of a safetensors file: {name: {shape, values}}. */
export function readTensors(buffer) {
  return readFile(buffer).tensors;
}
