/**
 * The line between a worker process and its supervisor. Messages are plain data (what structuredClone takes), arrive in order
 * or, once the other side is gone, not at all.
 */
export interface Line {
  /** Never throws, and never waits. */
  send(topic: string, message: unknown): void
  /** Takes over a topic; messages of a topic that nobody has taken are dropped. */
  receive(topic: string, listener: (message: unknown) => void): Disposable
  /** Calls `listener` once when the other side is gone; at once if it is gone already. */
  onClosed(listener: () => void): Disposable
}
