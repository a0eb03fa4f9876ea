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

const followAll = async (sources: readonly Source[], stopped: () => boolean): Promise<void> => {
  await Promise.all(sources.map((source) => source.follow(stopped)));
};

/** Sources that take their turns at the same time: for those of which it changes nothing who is first. */
export const sideBySide = (...sources: readonly Source[]): Source => ({
  wave: async () => (await Promise.all(sources.map((source) => source.wave()))).includes(true),
  follow: (stopped) => followAll(sources, stopped),
});

/** Sources that take their turns one after another. */
export const inTurn = (...sources: readonly Source[]): Source => ({
  wave: async () => {
    let worked = false;
    for (const source of sources) if (await source.wave()) worked = true;
    return worked;
  },
  follow: (stopped) => followAll(sources, stopped),
});
