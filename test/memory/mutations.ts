/** A small generator of numbers that are the same for a seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Draw = (below: number) => number;

interface Part {
  readonly bytes: Buffer;
}

/** Cuts a session into the protocol header and its frames. */
export function framesOf(session: Buffer): Part[] {
  const parts: Part[] = [{ bytes: session.subarray(0, 8) }];
  for (let at = 8; at < session.length;) {
    const end = at + 8 + session.readUInt32BE(at + 3);
    parts.push({ bytes: session.subarray(at, end) });
    at = end;
  }
  return parts;
}

const some = (draw: Draw, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => draw(256)));

/** Changes a session in a way that a client would not. */
const mutations: readonly ((frames: Part[], draw: Draw) => Part[])[] = [
  // Bits of a frame.
  (frames, draw) =>
    changed(frames, draw, (bytes) => {
      for (let flips = 1 + draw(4); flips > 0; flips -= 1) {
        const at = draw(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << draw(8));
      }
      return bytes;
    }),
  // A frame that ends too early, or late.
  (frames, draw) => changed(frames, draw, (bytes) => bytes.subarray(0, draw(bytes.length))),
  (frames, draw) =>
    changed(frames, draw, (bytes) => Buffer.concat([bytes, some(draw, 1 + draw(20))])),
  // A length that is not the frame's.
  (frames, draw) =>
    changed(frames, draw, (bytes) => {
      if (bytes.length >= 8) bytes.writeUInt32BE(draw(2) === 0 ? draw(400_000) : 0xffffffff, 3);
      return bytes;
    }),
  // Another type, channel or method.
  (frames, draw) => changed(frames, draw, (bytes) => put(bytes, 0, draw(10))),
  (frames, draw) => changed(frames, draw, (bytes) => put(bytes, 2, draw(4))),
  (frames, draw) => changed(frames, draw, (bytes) => put(bytes, 8, draw(100))),
  (frames, draw) => changed(frames, draw, (bytes) => put(bytes, 10, draw(130))),
  // A frame twice, not at all, elsewhere.
  (frames, draw) => {
    const at = draw(frames.length);
    return [...frames.slice(0, at), ...frames.slice(at, at + 1), ...frames.slice(at)];
  },
  (frames, draw) => frames.toSpliced(draw(frames.length), 1 + draw(3)),
  (frames, draw) => {
    const [one] = frames.slice(draw(frames.length));
    return one === undefined ? frames : frames.toSpliced(draw(frames.length), 0, one);
  },
  // Bytes of a body or table that claim to be longer than anything.
  (frames, draw) =>
    changed(frames, draw, (bytes) => {
      if (bytes.length < 24) return bytes;
      bytes.writeUInt32BE(0x7fffffff, 11 + draw(bytes.length - 20));
      return bytes;
    }),
  // Something else altogether.
  (frames, draw) => [
    ...frames.slice(0, draw(frames.length)),
    { bytes: some(draw, 1 + draw(2_000)) },
  ],
];

function changed(frames: Part[], draw: Draw, change: (bytes: Buffer) => Buffer): Part[] {
  const at = draw(frames.length);
  return frames.map((frame, index) =>
    index === at ? { bytes: change(Buffer.from(frame.bytes)) } : frame,
  );
}

function put(bytes: Buffer, at: number, value: number): Buffer {
  if (at < bytes.length) bytes[at] = value;
  return bytes;
}

/** One to three mutations of a session. */
export function mutated(session: readonly Part[], draw: Draw): Buffer {
  let frames = [...session];
  for (let times = 1 + draw(3); times > 0 && frames.length > 0; times -= 1) {
    frames = mutations[draw(mutations.length)]?.(frames, draw) ?? frames;
  }
  return Buffer.concat(frames.map(({ bytes }) => bytes));
}
