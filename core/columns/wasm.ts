/** A WebAssembly memory. Its buffer is another one after it has grown. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
}

/** What core/ needs of the engine's WebAssembly, which no type library without a browser in it declares. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE = 65_536;

/** A memory of at least this many bytes, all 0. @throws RangeError where the machine has no room for it. */
export const memoryOf = (bytes: number): Memory => new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });

/** Makes a memory at least this large. What it holds stays; views of its buffer so far are empty afterwards. @throws RangeError as above. */
export const growTo = (memory: Memory, bytes: number): void => {
  const pages = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (pages > 0) memory.grow(pages);
};

/** Compiles a module. @returns its exports over a memory. */
export const compiled = <Exports extends object>(base64: string): ((memory: Memory) => Exports) => {
  const module = new WebAssembly.Module(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  return (memory) => new WebAssembly.Instance(module, { core: { memory } }).exports as Exports;
};

/** How much a kernel's memory takes at a time. */
export interface Room {
  readonly accounts: number;
  readonly positions: number;
}

/** Accounts from `first` on that fit into the room together, at least one. @returns the account after the last. */
export const runEnd = (offsets: Int32Array, first: number, room: Room): number => {
  const positions = (offsets[first] as number) + room.positions;
  const accounts = Math.min(first + room.accounts, offsets.length - 1);
  let last = first + 1;
  while (last < accounts && (offsets[last + 1] as number) <= positions) last += 1;
  return last;
};
