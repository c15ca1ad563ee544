import { VolleyError } from "./errors.js";

/** The walk is recursive, and no server need take more: this holds whatever the server's limit is. */
const deepest = 64;

const loneSurrogate = /[\ud800-\udfff]/u;

/**
 * Walks a value that is about to be sent. The walk refuses what the wire cannot carry, and names the
 * place in the value, because the server could only close the connection.
 *
 * @param what names the value in errors, such as `move`.
 * @param depth how many arrays and objects may lie within each other.
 * @returns how many msgpack values it makes: containers, map keys and scalars.
 * @throws {@link VolleyError} of kind `invalid`.
 * @internal
 */
export function measure(value: unknown, what: string, depth: number): number {
  return walk(value, { what, path: [], depth: Math.min(depth, deepest) });
}

interface Walk {
  readonly what: string;
  readonly path: (string | number)[];
  readonly depth: number;
}

function walk(value: unknown, at: Walk): number {
  switch (typeof value) {
    case "undefined":
    case "boolean":
      return 1;
    case "number":
      if (!Number.isFinite(value)) refuse(at, `is ${value}`);
      return 1;
    case "bigint":
      if (value < -(2n ** 63n) || value >= 2n ** 64n) refuse(at, "does not fit 64 bits");
      return 1;
    case "string":
      if (loneSurrogate.test(value)) refuse(at, "is not well-formed text (half of a surrogate pair)");
      return 1;
    case "object":
      return value === null ? 1 : walkObject(value, at);
    default:
      return refuse(at, `is a ${typeof value}`);
  }
}

function walkObject(value: object, at: Walk): number {
  if (value instanceof Uint8Array) return 1;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) refuse(at, "is an invalid Date");
    return 1;
  }
  if (
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Promise
  ) {
    refuse(at, `is a ${value.constructor.name}: send an array, a plain object or a Uint8Array`);
  }
  if (at.path.length >= at.depth) refuse(at, `is nested deeper than ${at.depth}`);
  let count = 1;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      at.path.push(i);
      count += walk(value[i], at);
      at.path.pop();
    }
    return count;
  }
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined) continue; // left out of the frame, as JSON does
    at.path.push(key);
    if (loneSurrogate.test(key)) refuse(at, "has a key that is not well-formed text");
    count += 1 + walk(field, at);
    at.path.pop();
  }
  return count;
}

function refuse(at: Walk, why: string): never {
  // Forty steps into a cycle tell nobody more than the first eight.
  const path = at.path.slice(0, 8).map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
  if (at.path.length > 8) path.push("…");
  throw new VolleyError("invalid", `${at.what}${path.join("")} ${why}`);
}
