import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatSse, SSE_HEARTBEAT, type SseMessage, sseParser } from './sse.ts';

const parseAll = (pieces: readonly string[]): readonly SseMessage[] => {
  const parse = sseParser();
  return pieces.flatMap((piece) => parse(piece));
};

describe('server-sent events', () => {
  test('what is written is read again, wherever the stream is cut', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ' '));
    const message = fc.record({
      id: fc.nat().map(String),
      data: fc.array(line).map((lines) => lines.join('\n')),
    });
    fc.assert(
      fc.property(
        fc.array(message),
        fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
        (messages, sizes) => {
          let text = messages.map((each) => formatSse(each) + SSE_HEARTBEAT).join('');
          const pieces: string[] = [];
          while (text !== '') {
            const { value = 1 } = sizes.next();
            pieces.push(text.slice(0, value));
            text = text.slice(value);
          }
          const wanted = messages.map(({ id, data }) => ({ id, event: 'message', data }));
          assert.deepEqual(parseAll(pieces), wanted);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('lines may end in LF, CR LF or CR, also when the cut is between CR and LF', () => {
    const wanted = [{ id: '1', event: 'end', data: 'a\nb' }];
    for (const end of ['\n', '\r\n', '\r']) {
      const text = ['id: 1', 'event: end', 'data: a', 'data:b', '', ''].join(end);
      assert.deepEqual(parseAll([...text, '\n']), wanted);
    }
  });

  test('a message that was not whole when the stream ended is none', () => {
    assert.deepEqual(parseAll(['id: 1\ndata: half\n']), []);
  });
});
