// msgpack as the wire has it (docs/protocol.md, section 6), and no more of it. What arrives is not
// trusted: every length is held against the bytes that are there before anything is allocated.
export { decode } from "./decode.js";

const utf8 = new TextEncoder();

/** A value that is encoded already, as a part of another one. @internal */
export class Encoded {
  constructor(readonly bytes: Uint8Array) {}
}

// One buffer for all that is encoded; it grows, and what leaves is a copy. A value never encodes
// another one from within, so nobody else writes meanwhile.
let bytes = new Uint8Array(1024);
let view = new DataView(bytes.buffer);
let at = 0;

function reserve(size: number): void {
  if (at + size <= bytes.length) return;
  const old = bytes;
  bytes = new Uint8Array(2 * (at + size));
  bytes.set(old);
  view = new DataView(bytes.buffer);
}

/**
 * The bytes of a value. The caller has checked the value with `measure`: what JavaScript has and
 * msgpack has not would otherwise be encoded as something else without a word.
 * @internal
 */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  at = 0;
  put(value);
  const copy = bytes.slice(0, at);
  // One long value must not keep its memory for good.
  if (bytes.length > 1 << 20) view = new DataView((bytes = new Uint8Array(1024)).buffer);
  return copy;
}

function put(value: unknown): void {
  reserve(9); // the longest head
  switch (typeof value) {
    case "number":
      return putNumber(value);
    case "string":
      return putString(value);
    case "boolean":
      bytes[at++] = value ? 0xc3 : 0xc2;
      return;
    case "bigint":
      bytes[at++] = value < 0 ? 0xd3 : 0xcf;
      view.setBigUint64(at, BigInt.asUintN(64, value));
      at += 8;
      return;
    case "object":
      if (value !== null) return putObject(value);
  }
  bytes[at++] = 0xc0;
}

// The shortest form that keeps the value: the wire matches numbers by value.
function putNumber(n: number): void {
  if (Number.isSafeInteger(n)) {
    if (n >= 0) putUint(n);
    else if (n >= -0x20) bytes[at++] = 0x100 + n;
    else if (n >= -0x80) (bytes[at++] = 0xd0), view.setInt8(at++, n);
    else if (n >= -0x8000) (bytes[at++] = 0xd1), view.setInt16(at, n), (at += 2);
    else if (n >= -0x8000_0000) (bytes[at++] = 0xd2), view.setInt32(at, n), (at += 4);
    else (bytes[at++] = 0xd3), view.setBigInt64(at, BigInt(n)), (at += 8);
  } else if (Math.fround(n) === n) {
    bytes[at++] = 0xca;
    view.setFloat32(at, n);
    at += 4;
  } else {
    bytes[at++] = 0xcb;
    view.setFloat64(at, n);
    at += 8;
  }
}

function putUint(n: number): void {
  if (n < 0x80) bytes[at++] = n;
  else if (n < 0x1_0000_0000) putHead(n, 0xcc);
  else (bytes[at++] = 0xcf), view.setBigUint64(at, BigInt(n)), (at += 8);
}

/** A number behind a byte that says how wide it is: `first` for 8 bits, the next for 16, then 32. */
function putHead(n: number, first: number): void {
  if (n < 0x100) (bytes[at++] = first), (bytes[at++] = n);
  else if (n < 0x1_0000) (bytes[at++] = first + 1), view.setUint16(at, n), (at += 2);
  else (bytes[at++] = first + 2), view.setUint32(at, n), (at += 4);
}

/** The head of an array or a map, which has no form of 8 bits. */
function putSize(n: number, short: number, first: number): void {
  if (n < 16) bytes[at++] = short | n;
  else if (n < 0x1_0000) (bytes[at++] = first), view.setUint16(at, n), (at += 2);
  else (bytes[at++] = first + 1), view.setUint32(at, n), (at += 4);
}

function putString(s: string): void {
  const n = s.length;
  reserve(5 + 3 * n);
  if (n < 32) {
    // Short ones are nearly always ASCII, and then quicker done by hand.
    let i = 0;
    for (let c; i < n && (c = s.charCodeAt(i)) < 0x80; i++) bytes[at + 1 + i] = c;
    if (i === n) {
      bytes[at] = 0xa0 | n;
      at += 1 + n;
      return;
    }
  }
  // A head for the longest that it may be, then the text moves up to the head that it needs.
  const start = at + 5;
  const { written } = utf8.encodeInto(s, bytes.subarray(start));
  if (written < 32) bytes[at++] = 0xa0 | written;
  else putHead(written, 0xd9);
  bytes.copyWithin(at, start, start + written);
  at += written;
}

function putBytes(b: Uint8Array): void {
  reserve(b.length);
  bytes.set(b, at);
  at += b.length;
}

function putObject(value: object): void {
  if (Array.isArray(value)) {
    putSize(value.length, 0x90, 0xdc);
    for (let i = 0; i < value.length; i++) put(value[i]);
  } else if (value instanceof Uint8Array) {
    putHead(value.length, 0xc4);
    putBytes(value);
  } else if (value instanceof Date) {
    putDate(value.getTime());
  } else if (value instanceof Encoded) {
    putBytes(value.bytes);
  } else {
    const entries = Object.entries(value).filter((entry) => entry[1] !== undefined);
    putSize(entries.length, 0x80, 0xde);
    for (const [key, field] of entries) {
      putString(key);
      put(field);
    }
  }
}

/** The timestamp extension, in the shortest of its three forms. */
function putDate(ms: number): void {
  reserve(15);
  const seconds = Math.floor(ms / 1000);
  const nanos = (ms - seconds * 1000) * 1e6;
  if (seconds >= 0 && seconds < 2 ** 34) {
    const wide = nanos > 0 || seconds >= 2 ** 32;
    bytes[at++] = wide ? 0xd7 : 0xd6;
    bytes[at++] = 0xff;
    if (wide) view.setUint32(at, nanos * 4 + Math.floor(seconds / 2 ** 32)), (at += 4);
    view.setUint32(at, seconds % 2 ** 32);
    at += 4;
  } else {
    bytes.set([0xc7, 12, 0xff], at);
    view.setUint32(at + 3, nanos);
    view.setBigInt64(at + 7, BigInt(seconds));
    at += 15;
  }
}
