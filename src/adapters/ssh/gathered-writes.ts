import type { Socket } from 'node:net';

/**
 * Has a socket send in one system call what is written to it in one turn. ssh2 writes the length, the body and the tag of each
 * packet apart, and without Nagle's delay each would be a system call and a segment of its own. Call it after `connect`, which
 * gives the socket its `write`.
 */
export function gatherWrites(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...written: readonly unknown[]) => boolean;
  let isGathering = false;
  const send = () => {
    isGathering = false;
    socket.uncork();
  };
  socket.write = (...written: readonly unknown[]) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      queueMicrotask(send);
    }
    return write(...written);
  };
  return socket;
}
