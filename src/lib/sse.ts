/** One message of a stream of server-sent events. `event` is `message` unless the server named another. */
export type SseMessage = { readonly id: string | null; readonly event: string; readonly data: string };

/** A message as text on the wire (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function formatSse(message: {
  readonly id?: string;
  readonly event?: string;
  readonly data: string;
}): string {
  const id = message.id === undefined ? '' : `id: ${message.id}\n`;
  const event = message.event === undefined ? '' : `event: ${message.event}\n`;
  return `${id}${event}data: ${message.data.replaceAll('\n', '\ndata: ')}\n\n`;
}

/** A comment: shows that the connection lives, and is no message. */
export const SSE_HEARTBEAT = ': still here\n\n';

/**
 * Messages of a stream that comes in pieces, cut anywhere. What is left without its empty line when the stream ends is
 * dropped, as the specification says: it was not whole.
 */
export function sseParser(): (piece: string) => readonly SseMessage[] {
  let rest = '';
  return (piece) => {
    // A \r at the very end may be the first half of \r\n: it waits for the next piece.
    const text = rest + piece;
    const held = text.endsWith('\r') ? 1 : 0;
    const blocks = text
      .slice(0, text.length - held)
      .replaceAll(/\r\n?/g, '\n')
      .split('\n\n');
    rest = (blocks.pop() ?? '') + text.slice(text.length - held);
    return blocks.flatMap(parseBlock);
  };
}

function parseBlock(block: string): readonly SseMessage[] {
  let id: string | null = null;
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field = '', value = ''] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'id') id = value;
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? [] : [{ id, event, data: data.join('\n') }];
}
