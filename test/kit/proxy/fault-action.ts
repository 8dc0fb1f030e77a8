import type { ArmedFault, CutKind, FaultVerb } from './faults.js';
import { carriesContent } from './method-names.js';
import type { Direction, RecordedFrame, WireFrame } from './wire-frame.js';

/** A frame on its way through a pump. */
export interface Passage {
  readonly frame: WireFrame;
  readonly record: RecordedFrame;
  /** Its fault has been taken already: it only waits for a release. */
  readonly decided: boolean;
}

/** The pump, as far as a fault steers it. */
export interface FaultyPump {
  forward(passage: Passage): void | Promise<void>;
  forwardThenCut(passage: Passage, kind: CutKind, done: () => void): void | Promise<void>;
  dropContentOf(channel: number): void;
  hold(passage: Passage): void;
  release(): void;
}

export interface FaultyConnection {
  readonly number: number;
  /** `toBroker` differs where a reset would take bytes along that have been recorded as passed. */
  cut(kind: CutKind, toBroker?: CutKind): Promise<void>;
  inject(from: Direction, bytes: Buffer): void;
}

export async function performFault(
  fault: ArmedFault,
  passage: Passage,
  pump: FaultyPump,
  link: FaultyConnection,
): Promise<void> {
  const { frame, record } = passage;
  const done = () => {
    fault.resolve(record);
  };
  const verb = await decide(fault, passage, link);
  switch (verb) {
    case 'pass':
      await pump.forward(passage);
      return done();
    case 'drop':
      if (carriesContent(frame.method)) pump.dropContentOf(frame.channel);
      return done();
    case 'hold':
      fault.release = () => {
        pump.release();
      };
      pump.hold(passage);
      return done();
    case 'cut-rst':
    case 'cut-fin':
      await link.cut(verb === 'cut-rst' ? 'rst' : 'fin', 'fin');
      return done();
    case 'cut-after-rst':
    case 'cut-after-fin':
      await pump.forwardThenCut(passage, verb === 'cut-after-rst' ? 'rst' : 'fin', done);
  }
}

async function decide(
  { action, reject }: ArmedFault,
  { frame, record }: Passage,
  link: FaultyConnection,
): Promise<FaultVerb> {
  if (typeof action === 'string') return action;
  try {
    const verb = await action(record, {
      connection: link.number,
      bytes: frame.bytes,
      inject: (from, bytes) => {
        link.inject(from, bytes);
      },
      cut: async (kind) => link.cut(kind, 'fin'),
    });
    return verb ?? 'pass';
  } catch (error) {
    reject(error instanceof Error ? error : new Error(String(error)));
    return 'cut-rst';
  }
}
