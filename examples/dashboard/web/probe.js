// What tests may look at: window.dashboard, read-only.

export function expose(look) {
  const getters = {
    client: () => look().client,
    status: () => look().status,
    events: () => look().events,
    states: () => look().states, // of the swarm that is shown
    rows: () => look().store.times.length,
    times: () => look().store.times,
    started: () => look().store.about?.Started,
    span: () => look().store.times.at(-1) - look().store.times[0], // s
  };
  const dashboard = {
    value: (name) => look().store.value(name),
    column: (name) => [...look().store.column(name)],
  };
  for (const [name, get] of Object.entries(getters)) Object.defineProperty(dashboard, name, { get, enumerable: true });
  Object.defineProperty(window, "dashboard", { value: Object.freeze(dashboard) });
  return () => {
    document.documentElement.dataset.status = look().status;
  };
}
