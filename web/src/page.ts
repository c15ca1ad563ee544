/** What a page lives through, as far as a connection cares. @internal */
export interface PageEvents {
  /** The network is there again, or somebody looks at the page again. */
  wake(): void;
  /** The page goes away; `kept`: into the back/forward cache, from where it may return. */
  hide(kept: boolean): void;
  /** The page is back from that cache. */
  show(): void;
}

interface Target {
  addEventListener?(type: string, listener: (event: never) => void): void;
  removeEventListener?(type: string, listener: (event: never) => void): void;
}

/** Watches the page until the result is called. Where there is none, as in Node, nothing happens. @internal */
export function watchPage(on: PageEvents): () => void {
  const page = globalThis as Target & { document?: Target & { visibilityState: string } };
  const { document } = page;
  const listeners: [Target | undefined, string, (event: never) => void][] = [
    [page, "online", () => on.wake()],
    [document, "visibilitychange", () => document!.visibilityState === "visible" && on.wake()],
    [document && page, "pagehide", (event: { persisted: boolean }) => on.hide(event.persisted)],
    [document && page, "pageshow", (event: { persisted: boolean }) => event.persisted && on.show()],
  ];
  for (const [target, type, listener] of listeners) target?.addEventListener?.(type, listener);
  return () => {
    for (const [target, type, listener] of listeners) target?.removeEventListener?.(type, listener);
  };
}
