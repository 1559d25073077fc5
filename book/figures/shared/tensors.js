// A network's file: safetensors of half floats and bytes. Pure: no page.

/** Return the number that 16 bits of IEEE half precision stand for. */
function fromFloat16(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Read a safetensors file of half floats and bytes: {name: {shape, values}}. */
export function readTensors(buffer) {
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(String.fromCharCode(...new Uint8Array(buffer, 8, start - 8)));
  delete header.__metadata__;
  const read = ({ dtype, shape, data_offsets: [from, to] }) => ({
    shape,
    values: dtype === "U8" ? new Uint8Array(buffer, start + from, to - from)
      : Float32Array.from(new Uint16Array(buffer, start + from, (to - from) / 2), fromFloat16),
  });
  return Object.fromEntries(Object.entries(header).map(([name, entry]) => [name, read(entry)]));
}
