import type { BadFrame, Frame } from '../wire/frame-parser.js';
import { FrameType } from '../wire/frame-parser.js';
import { badFrame } from './bad-frames.js';
import { connectionFrame } from './connection-frames.js';
import type { Session } from './session.js';

/** Who a frame is for. @throws AmqpFault @throws MalformedError */
export function sessionFrame(session: Session, frame: Frame | BadFrame): void {
  const { phase } = session;
  if ('problem' in frame) {
    // Nothing that follows can be read.
    if (phase !== 'closing') session.close(badFrame(frame, session.limits.frameMax));
    session.finish();
  } else if (frame.channel === 0) connectionFrame(session, frame);
  else if (phase === 'open') session.channels.frame(frame);
  else if (phase !== 'closing') session.reset();
  else if (frame.type === FrameType.heartbeat) session.finish();
}
