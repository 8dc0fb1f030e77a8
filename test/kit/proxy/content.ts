import { carriesContent } from './method-names.js';
import type { WireFrame } from './wire-frame.js';

/** Follows one direction and knows, channel by channel, where a method's content ends. */
export class ContentTracker {
  /** Bytes of body to come; -1 before the header. */
  private readonly left = new Map<number, number>();

  /** Whether this frame is the last of its method: the method itself, its header or its last body frame. */
  completes({ channel, method, fields }: WireFrame): boolean {
    if (method === 'header') return this.remain(channel, fields.bodySize ?? 0);
    if (method === 'body') {
      return this.remain(channel, (this.left.get(channel) ?? 0) - (fields.size ?? 0));
    }
    if (!carriesContent(method)) return true;
    this.left.set(channel, -1);
    return false;
  }

  private remain(channel: number, bytes: number): boolean {
    if (bytes > 0) this.left.set(channel, bytes);
    else this.left.delete(channel);
    return bytes <= 0;
  }
}
