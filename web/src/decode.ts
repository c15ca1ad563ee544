/** How deep a frame of the server may nest, the frame itself included. */
const deepest = 64;

// A byte order mark is a character of the text like any other.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

// Where the decoder is. Nothing is called from within that could begin another frame.
let bytes: Uint8Array;
let view: DataView;
let at = 0;
let end = 0;

/**
 * The one value that these bytes hold. Binary values are views into `bytes`, not copies.
 * @throws an Error for anything but one whole value.
 * @internal
 */
export function decode(data: Uint8Array): unknown {
  bytes = data;
  view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  at = 0;
  end = data.length;
  const value = next(0);
  if (at < end) throw new Error(`${end - at} bytes follow the value`);
  return value;
}

/** Goes past `size` bytes and returns where they begin. */
function skip(size: number): number {
  const start = at;
  if (size > end - start) throw new Error("a length is longer than its frame");
  at = start + size;
  return start;
}

/** The value that begins here, within `depth` arrays and maps. */
function next(depth: number): unknown {
  const head = bytes[skip(1)]!;
  if (head < 0x80) return head;
  if (head < 0x90) return map(head & 15, depth);
  if (head < 0xa0) return array(head & 15, depth);
  if (head < 0xc0) return string(head & 31);
  if (head >= 0xe0) return head - 0x100;
  switch (head) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return binary(size(head - 0xc4));
    case 0xc7:
    case 0xc8:
    case 0xc9:
      return extension(size(head - 0xc7));
    case 0xca:
      return view.getFloat32(skip(4));
    case 0xcb:
      return view.getFloat64(skip(8));
    case 0xcc:
    case 0xcd:
    case 0xce:
      return size(head - 0xcc);
    case 0xcf:
      return exact(view.getBigUint64(skip(8)));
    case 0xd0:
      return view.getInt8(skip(1));
    case 0xd1:
      return view.getInt16(skip(2));
    case 0xd2:
      return view.getInt32(skip(4));
    case 0xd3:
      return exact(view.getBigInt64(skip(8)));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return string(size(head - 0xd9));
    case 0xdc:
    case 0xdd:
      return array(size(head - 0xdb), depth);
    case 0xde:
    case 0xdf:
      return map(size(head - 0xdd), depth);
    case 0xc1:
      throw new Error("msgpack has no byte 0xc1");
    default: // 0xd4 to 0xd8
      return extension(1 << (head - 0xd4));
  }
}

/** A number without sign, of 8, 16 or 32 bits. */
function size(width: number): number {
  if (width === 0) return bytes[skip(1)]!;
  return width === 1 ? view.getUint16(skip(2)) : view.getUint32(skip(4));
}

// 64-bit integers are numbers where a number holds them exactly, and bigints beyond.
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

// Most strings are keys of maps, the same ones in every frame, and a string that is there already is
// quicker than one that has to be made. Each slot has the last short ASCII string of its hash.
const slots: string[] = new Array(256).fill("");

function string(length: number): string {
  const start = skip(length);
  if (length > 24) return utf8.decode(bytes.subarray(start, at));
  let hash = length;
  let all = 0;
  for (let i = start; i < at; i++) {
    const c = bytes[i]!;
    hash = (hash * 31 + c) & 0xffff;
    all |= c;
  }
  if (all >= 0x80) return utf8.decode(bytes.subarray(start, at));
  const slot = (hash ^ (hash >> 8)) & 0xff;
  const known = slots[slot]!;
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return known;
  }
  return (slots[slot] = String.fromCharCode(...bytes.subarray(start, at)));
}

function binary(length: number): Uint8Array {
  const start = skip(length);
  return bytes.subarray(start, at);
}

/** Refuses a list that cannot be: each of its values has a byte at least. */
function check(values: number, depth: number): void {
  if (values > end - at) throw new Error("a length is longer than its frame");
  if (values > 0 && depth >= deepest) throw new Error(`nested deeper than ${deepest}`);
}

function array(length: number, depth: number): unknown[] {
  check(length, depth);
  const list: unknown[] = [];
  for (let i = 0; i < length; i++) list.push(next(depth + 1));
  return list;
}

function map(length: number, depth: number): Record<string, unknown> {
  check(length * 2, depth);
  const object: Record<string, unknown> = {};
  for (let i = 0; i < length; i++) {
    const head = bytes[at]!;
    const key = next(depth + 1);
    const integer = typeof key === "bigint" || (typeof key === "number" && head !== 0xca && head !== 0xcb);
    if (typeof key !== "string" && !integer) throw new Error("a map key is neither a string nor an integer");
    const value = next(depth + 1);
    // A JavaScript object cannot hold this key without trouble. In a game that relays what its players
    // send, one player could close the clients of all others if the frame were refused for it.
    if (key !== "__proto__") object[key as string] = value;
  }
  return object;
}

/** The timestamp extension is the only one that the wire has. */
function extension(length: number): Date {
  const start = skip(1 + length) + 1;
  const type = view.getInt8(start - 1);
  if (type !== -1) throw new Error(`extension type ${type} is not part of the protocol`);
  if (length === 4) return new Date(view.getUint32(start) * 1000);
  if (length === 8) {
    const high = view.getUint32(start);
    const seconds = (high % 4) * 2 ** 32 + view.getUint32(start + 4);
    return new Date(seconds * 1000 + Math.floor(high / 4) / 1e6);
  }
  if (length !== 12) throw new Error(`a timestamp has 4, 8 or 12 bytes, not ${length}`);
  return new Date(Number(view.getBigInt64(start + 4)) * 1000 + view.getUint32(start) / 1e6);
}
