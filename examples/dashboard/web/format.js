// Numbers as people read them. null is a dash.

const dash = "–";

/** 12,345 */
export const whole = (v) => (v === null ? dash : Math.round(v).toLocaleString("en"));

/** A number with about three digits. */
export function short(v) {
  if (v === null) return dash;
  const size = Math.abs(v);
  if (size >= 1e6) return `${trim(v / 1e6)}M`;
  if (size >= 1e4) return `${trim(v / 1e3)}k`;
  return size >= 100 || Number.isInteger(v) ? whole(v) : trim(v);
}

const trim = (v) => (Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2));

/** 1.25 kB */
export function bytes(v) {
  if (v === null) return dash;
  if (v >= 1e6) return `${trim(v / 1e6)} MB`;
  return v >= 1e3 ? `${trim(v / 1e3)} kB` : `${Math.round(v)} B`;
}

export const ms = (v) => (v === null ? dash : `${v ? trim(v) : 0} ms`);
export const megabytes = (v) => (v === null ? dash : `${v >= 1000 ? whole(v) : trim(v)} MB`);
export const percent = (v) => (v === null ? dash : `${v.toFixed(1)} %`);

/** 3 d 4 h, 5 min 06 s */
export function duration(millis) {
  const s = Math.max(0, Math.floor(millis / 1000));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${String(m).padStart(2, "0")} min`;
  return m ? `${m} min ${String(s % 60).padStart(2, "0")} s` : `${s} s`;
}
