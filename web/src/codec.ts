import { DecodeError, Decoder, Encoder, ExtensionCodec } from "@msgpack/msgpack";

// msgpack as the protocol wants it. The library's options do not reach everything that we need, so
// a few of its private methods are replaced, on our two instances only. The library's version is
// pinned, and codec.test.mjs fails when one of these methods is no longer called.
interface EncoderInternals {
  encodeNumberAsFloat(value: number): void;
  writeU8(value: number): void;
  writeU64(value: number): void;
  writeI64(value: number): void;
  writeF32(value: number): void;
  writeF64(value: number): void;
}
interface DecoderInternals {
  bytes: Uint8Array;
  view: DataView;
  pos: number;
  stack: { length: number; pushArrayState(size: number): void; pushMapState(size: number): void };
  readU64(): number | bigint;
  readI64(): number | bigint;
  pushArrayState(size: number): void;
  pushMapState(size: number): void;
}

/** How deep a frame of the server may nest, the frame itself included. */
const maxDepth = 64;

/** The timestamp extension is the only one that the wire has. */
class WireExtensions extends ExtensionCodec {
  override decode(data: Uint8Array, type: number, context: undefined): unknown {
    if (type !== -1) throw new DecodeError(`extension type ${type} is not part of the protocol`);
    return super.decode(data, type, context);
  }
}
const extensionCodec = new WireExtensions();

const encoder = new Encoder({
  extensionCodec,
  useBigInt64: true,
  ignoreUndefined: true,
});

// The library sends here what is not an integer, and, since bigint is on, every number that needs
// more than 32 bits. Each takes the shortest form that keeps its value: the wire matches numbers by
// value, so a float64 that a float32 holds exactly travels in half the bytes.
{
  const e = encoder as unknown as EncoderInternals;
  e.encodeNumberAsFloat = function (value) {
    if (Number.isSafeInteger(value)) {
      this.writeU8(value < 0 ? 0xd3 : 0xcf);
      if (value < 0) this.writeI64(value);
      else this.writeU64(value);
    } else if (Math.fround(value) === value) {
      this.writeU8(0xca);
      this.writeF32(value);
    } else {
      this.writeU8(0xcb);
      this.writeF64(value);
    }
  };
}

// A JavaScript object cannot hold a key `__proto__` without trouble. The library refuses the whole
// frame; but in a game that relays what its players send, one player could then close the clients of
// all others. So the key is read as a boxed string, which passes the library's check, and stored
// under a symbol that no listener looks at: the entry is dropped and the frame stays good.
const dropped = Symbol("__proto__");
const text = new TextDecoder();
const keyDecoder = {
  canBeCached: (byteLength: number) => byteLength === 9,
  decode(bytes: Uint8Array, offset: number, byteLength: number): string {
    const key = text.decode(bytes.subarray(offset, offset + byteLength));
    return key === "__proto__" ? (new String(key) as string) : key;
  },
};

function mapKey(key: unknown): string | number {
  if (typeof key === "string" || typeof key === "number") return key;
  if (typeof key === "bigint") return String(key);
  if (key instanceof String) return dropped as unknown as string;
  throw new DecodeError("a map key is neither a string nor an integer");
}

const decoder = new Decoder({ extensionCodec, keyDecoder, mapKeyConverter: mapKey });

{
  const d = decoder as unknown as DecoderInternals;

  // 64-bit integers are numbers where a number holds them exactly, and bigints beyond.
  const exact = (value: bigint) => {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  };
  d.readU64 = function () {
    const value = this.view.getBigUint64(this.pos);
    this.pos += 8;
    return exact(value);
  };
  d.readI64 = function () {
    const value = this.view.getBigInt64(this.pos);
    this.pos += 8;
    return exact(value);
  };

  // A length is believed only if the bytes that follow can hold it: the library allocates first.
  const room = (d: DecoderInternals, size: number) => {
    if (size > d.bytes.length - d.pos) throw new DecodeError("a length is longer than its frame");
    if (d.stack.length >= maxDepth) throw new DecodeError(`nested deeper than ${maxDepth}`);
  };
  d.pushArrayState = function (size) {
    room(this, size);
    this.stack.pushArrayState(size);
  };
  d.pushMapState = function (size) {
    room(this, size * 2);
    this.stack.pushMapState(size);
  };
}

/**
 * The bytes of a value. The caller has checked the value with `measure`: what JavaScript has and
 * msgpack has not would otherwise be encoded as something else without a word.
 * @internal
 */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(value);
}

/**
 * The one value that these bytes hold. Binary values are views into `bytes`, not copies.
 * @throws an Error for anything but one whole value.
 * @internal
 */
export function decode(bytes: Uint8Array): unknown {
  return decoder.decode(bytes);
}
