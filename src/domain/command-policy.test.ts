import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Commanded, type CommandPolicy, commandPolicySchema, refusedCommand } from './command-policy.ts';

const policy = (fields: object): CommandPolicy => commandPolicySchema.parse(fields);
const allows = (fields: object, command: Commanded) => refusedCommand(policy(fields), command) === undefined;
const SHA = 'a'.repeat(64);

describe('a policy of commands', () => {
  test('lets everything run where it says nothing, and nothing where it allows nothing', () => {
    assert.equal(allows({}, ['rm', '-rf', '/']), true);
    assert.equal(allows({ allow: [] }, ['true']), false);
    assert.equal(allows({ deny: [] }, ['true']), true);
  });

  test('takes a rule for the whole command: its program, then each argument', () => {
    const restart = { allow: [['systemctl', 'restart', 'web']] };
    assert.equal(allows(restart, ['systemctl', 'restart', 'web']), true);
    for (const argv of [
      ['systemctl', 'restart'],
      ['systemctl', 'restart', 'web', 'db'],
      ['systemctl', 'restart', 'web\n'],
      ['/usr/bin/systemctl', 'restart', 'web'],
      ['./systemctl', 'restart', 'web'],
      [''],
      [],
    ])
      assert.equal(allows(restart, argv), false, JSON.stringify(argv));
  });

  test('knows arguments by their types, and by `...` whatever follows', () => {
    const rule = ['bin/move', { type: 'string', pattern: '[a-z]+' }, { type: 'integer', min: 1, max: 9 }];
    const move = { allow: [[...rule, '...']] };
    assert.equal(allows(move, ['bin/move', 'users', '3']), true);
    assert.equal(allows(move, ['bin/move', 'users', '3', '--fast']), true);
    for (const words of [
      ['users'],
      ['users', '10'],
      ['users', '03'],
      ['a b', '3'],
      ['$(id)', '3'],
      ['a\nb', '3'],
    ])
      assert.equal(allows(move, ['bin/move', ...words]), false, JSON.stringify(words));
    assert.equal(allows({ allow: [['make', '...']] }, ['make']), true);
  });

  test('denies before it allows, and a program without a slash in every folder', () => {
    const both = {
      allow: [
        ['rm', '...'],
        ['/bin/ls', '...'],
      ],
      deny: [
        ['rm', '...'],
        ['/opt/x', '...'],
      ],
    };
    for (const program of [
      'rm',
      '/bin/rm',
      './rm',
      '../../bin/rm',
      '/bin//rm',
      '/opt/x',
      '/opt/./x',
      '/bin/../opt/x',
    ])
      assert.equal(refusedCommand(policy(both), [program, 'a'])?.path[0], 'deny', program);
    assert.equal(allows(both, ['/bin/ls']), true);
    assert.deepEqual(refusedCommand(policy(both), ['cp']), { rule: undefined, path: ['allow'] });
    assert.deepEqual(refusedCommand(policy(both), ['rm']), { rule: ['rm', '...'], path: ['deny', 0] });
  });

  test('denies a word that is no value of the kind at all, and does not allow it', () => {
    const rule = (argument: object) => [['kill', argument]];
    const integer = { type: 'integer', min: 1, max: 9 };
    const text = { type: 'string', pattern: '[a-z]+' };
    const choice = { type: 'enum', values: ['stop'] };
    for (const [argument, words] of [
      [integer, ['5', '05', '+5', '5.0', '0x5', ' 5', '5\n', '9007199254740993', 'five', '']],
      [text, ['web', 'web\t', '\nweb', 'w'.repeat(1_025), 'web\ud800']],
      [choice, ['stop', 'stop\n', '\tstop']],
      [{ type: 'boolean' }, ['true', 'TRUE', '1']],
    ] as const)
      for (const [index, word] of words.entries()) {
        assert.equal(allows({ deny: rule(argument) }, ['kill', word]), false, JSON.stringify(word));
        assert.equal(allows({ allow: rule(argument) }, ['kill', word]), index === 0, JSON.stringify(word));
      }
    for (const [argument, word] of [
      [integer, '10'],
      [text, 'WEB'],
      [text, ''],
      [choice, 'start'],
    ] as const)
      assert.equal(allows({ deny: rule(argument) }, ['kill', word]), true, word);
  });

  test('denies every word but those that are surely another value, and allows none that it denies', () => {
    const around = fc.constantFrom(
      '',
      '',
      '0',
      '+',
      ' ',
      '\t',
      '\n',
      '\0',
      '\u0085',
      '\ud800',
      'x'.repeat(1_024),
    );
    const kinds = fc.constantFrom(
      { argument: { type: 'integer', min: -9, max: 9 }, other: /^-?[1-9]\d{1,14}$/ },
      {
        argument: { type: 'string', pattern: '[a-z0-9]*' },
        other: /^(?!.*[\p{Cc}\p{Cs}])(?=.*[^a-z0-9]).{1,1024}$/su,
      },
      { argument: { type: 'boolean' }, other: /^(?!)/ },
    );
    const inside = fc.oneof(fc.integer({ min: -99, max: 99 }).map(String), fc.string({ maxLength: 8 }));
    fc.assert(
      fc.property(kinds, around, inside, around, ({ argument, other }, before, middle, behind) => {
        const word = before + middle + behind;
        const isDenied = !allows({ deny: [['kill', argument]] }, ['kill', word]);
        assert.equal(isDenied, !other.test(word));
        if (allows({ allow: [['kill', argument]] }, ['kill', word])) assert.equal(isDenied, true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('knows a script by its name, or by its name and content, and never as a command', () => {
    const script = { script: 'migrate', sha256: SHA };
    assert.equal(allows({ deny: [{ script: '*' }] }, script), false);
    assert.equal(
      allows(
        {
          deny: [
            ['sh', '...'],
            ['migrate', '...'],
          ],
        },
        script,
      ),
      true,
    );
    assert.equal(allows({ allow: [['migrate', '...']] }, script), false);
    assert.equal(allows({ allow: [{ script: 'migrate' }] }, script), true);
    assert.equal(allows({ allow: [{ script: 'migrate', sha256: SHA }] }, script), true);
    assert.equal(allows({ allow: [{ script: 'migrate', sha256: 'b'.repeat(64) }] }, script), false);
    assert.equal(allows({ allow: [{ script: '*' }] }, ['migrate']), false);
  });

  test('is written with a program first, and `...` last', () => {
    for (const rule of [
      [],
      ['...'],
      [{ type: 'integer' }],
      ['a', '...', 'b'],
      ['a', { type: 'string' }],
      { script: '' },
    ])
      assert.throws(() => policy({ deny: [rule] }), JSON.stringify(rule));
  });

  test('never allows what differs from its rule in a single argument', () => {
    const words = fc.array(fc.string({ unit: 'binary', maxLength: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(words, words, (written, argv) => {
        if (written.includes('...') || written[0] === '') return;
        const isSame = JSON.stringify(written) === JSON.stringify(argv);
        assert.equal(allows({ allow: [written] }, argv), isSame);
        assert.equal(allows({ allow: [written] }, written), true);
      }),
      { numRuns: 2_000 },
    );
  });
});
