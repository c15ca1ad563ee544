// What tests may look at: the state as the server sent it, read-only. Nothing here can change the game.
//
// The root element has data-seat, data-phase ("connecting", "waiting", "serving", "playing", "over", "reconnecting", "lost") and
// data-score ("3-2"). window.pong has:
//
//   seat, phase, names, bots, score, winner, watch   as on the table
//   tick       the tick of the newest state
//   at(tick)   {x, y, paddles} of exactly that tick; undefined if it is not remembered
//   shown      {x, y, paddles} as last drawn
//   frames     how many pictures were drawn
const root = document.documentElement.dataset;

/** look() returns {match, lost, brief, shown, frames}. */
export function expose(look) {
  const phase = ({ match, lost, brief } = look()) => (lost ? (match && brief ? "reconnecting" : "lost") : match ? match.phase : "connecting");
  const copy = (s) => s && { x: s.x, y: s.y, paddles: [...s.paddles] };
  const table = () => look().match?.table;
  const getters = {
    seat: () => look().match?.seat,
    phase,
    names: () => table()?.Names.slice(),
    bots: () => table()?.Bots.slice(),
    score: () => table()?.Score.slice(),
    winner: () => table()?.Winner,
    watch: () => table()?.Watch,
    tick: () => look().match?.timeline.newest?.tick ?? 0,
    shown: () => copy(look().shown),
    frames: () => look().frames,
  };
  const pong = { at: (tick) => copy(look().match?.timeline.exactly(tick)) };
  for (const [name, get] of Object.entries(getters)) Object.defineProperty(pong, name, { get: () => get(), enumerable: true });
  Object.defineProperty(window, "pong", { value: Object.freeze(pong) });

  return () => {
    const now = { seat: String(pong.seat ?? ""), phase: phase(), score: pong.score?.join("-") ?? "" };
    for (const [name, value] of Object.entries(now)) if (root[name] !== value) root[name] = value;
  };
}
