import { channelNotOpened, confirmChannelRefused } from '../publish.messages.js';
import type { ConnectionParts } from './connection-parts.js';
import type { Link } from './link.js';
import type { PublishChannelEvents } from './publish-channel.js';
import { PublishChannel } from './publish-channel.js';

/**
 * Opens a channel to publish on. A broker that opens none within `timeout` milliseconds hangs: its connection is dropped.
 * While it blocks publishers it reads nothing of theirs, so that time does not count.
 *
 * @returns undefined when the link gives no channel, which is logged
 */
export async function openPublishChannel(
  { clock, logger }: ConnectionParts,
  link: Link,
  timeout: number,
  events: PublishChannelEvents,
): Promise<PublishChannel | undefined> {
  const { connection } = link;
  let cancel = (): void => undefined;
  const watch = (): void => {
    cancel = clock.schedule(timeout, () => {
      if (connection.blocked === undefined) {
        connection.destroy(new Error(channelNotOpened(timeout, link.broker)));
      } else watch();
    });
  };
  watch();
  try {
    return new PublishChannel(link, await connection.openConfirmChannel(), clock, events);
  } catch (error) {
    if (link.live) logger.warn(confirmChannelRefused(error));
    return undefined;
  } finally {
    cancel();
  }
}
