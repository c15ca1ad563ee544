// The court, in its own units. messages.go has the same numbers; a test compares them.
export const width = 160;
export const height = 90;
export const paddleX = 5;
export const reach = 9;
export const radius = 1.6;
export const paddleSpeed = 110;
export const botWaits = 3000; // ms

export const clamp = (v, low, high) => Math.max(low, Math.min(high, v));

/** Moves from a to b by at most step. */
export const towards = (a, b, step) => a + clamp(b - a, -step, step);
