import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as frames from '../kit/amqp-frames.js';
import { usePeer } from '../kit/dial.js';

/** Dials with amqplib alone in a process of its own; what that process prints when it dies of an uncaught exception. */
async function deathOf(port: number): Promise<string> {
  const script = `
    import amqp from 'amqplib/callback_api.js';
    process.on('uncaughtException', (error) => { console.log('uncaught: ' + error.message); process.exit(1); });
    amqp.connect({ hostname: '127.0.0.1', port: ${port} }, {}, () => console.log('opened'));
  `.replace('amqplib/callback_api.js', 'amqplib/callback_api');
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (_error, stdout) =>
      resolve(stdout.trim()),
    );
  });
}

describe('amqplib ends the process', () => {
  it('when a fatal close comes in one segment with open-ok: so frames after it are held back', async () => {
    const peer = await usePeer({
      'connection.open': () =>
        Buffer.concat([frames.connectionOpenOk(), frames.connectionClose(541, 'oops')]),
    });
    expect(await deathOf(peer.port)).toMatch(/^uncaught: Connection closed: 541/u);
  });

  it('when a model has no error listener and its socket is reset: so listeners come first', async () => {
    const peer = await usePeer();
    const dying = deathOf(peer.port);
    const session = await peer.session();
    await session.seen('connection.open');
    session.socket.resetAndDestroy();
    expect(await dying).toMatch(/uncaught: /u);
  });
});
