// The chapters' photograph, the head of Grace Hopper: 160 by 160 grey pixels.

export const PHOTO_SIDE = 160;

/** Fetch its pixels, 0 to 1. */
export async function loadPhotograph() {
  const response = await fetch(new URL("./photograph.bin", import.meta.url));
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length !== PHOTO_SIDE ** 2) throw new Error("not the photograph");
  return Float64Array.from(bytes, (byte) => byte / 255);
}
