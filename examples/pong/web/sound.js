// Small beeps. Browsers let a page be heard only after its user has done something, so it is silent until then.
let audio;
let wanted = localStorage.getItem("pong.sound") !== "off";

export const audible = () => wanted;

/** Turns sound on or off, for the next visits too. */
export function toggleSound() {
  wanted = !wanted;
  localStorage.setItem("pong.sound", wanted ? "on" : "off");
  return wanted;
}

for (const gesture of ["pointerdown", "keydown"]) {
  addEventListener(gesture, () => (audio ??= new AudioContext()), { once: true });
}

function beep(frequency, { at = 0, length = 0.07, volume = 0.09, shape = "triangle" } = {}) {
  if (!audio || !wanted || document.hidden) return;
  const start = audio.currentTime + at;
  const tone = new OscillatorNode(audio, { type: shape, frequency });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(volume, start);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + length);
  tone.connect(gain).connect(audio.destination);
  tone.start(start);
  tone.stop(start + length);
}

/** side: the seat whose paddle was hit; -1: a wall. */
export const bounceSound = (side) => beep([392, 494][side] ?? 247, { length: side < 0 ? 0.05 : 0.08 });

export const goalSound = () => {
  beep(196, { length: 0.18 });
  beep(147, { at: 0.09, length: 0.25 });
};

export const winSound = () => [392, 494, 587, 784].forEach((f, i) => beep(f, { at: i * 0.11, length: 0.3 }));
