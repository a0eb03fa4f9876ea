/** Something that wakes functions: a queue, a table's stream, a listener. */
export interface Source {
  /**
   * Stepped time: hands over what is there now, each message once, and waits until all of it is handled.
   *
   * @returns whether there was anything.
   */
  wave(): Promise<boolean>;
  /** Real time: keeps handing over until `stopped` says so. */
  follow(stopped: () => boolean): Promise<void>;
}
