import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { projectRoot } from '../scripts/project.ts';
import { withTemporaryFolder } from '../test/support/temporary-folder.ts';
import { scriptRequestSchema } from './domain/script.ts';
import { inlineStrategySchema } from './domain/strategy.ts';
import { datacenterWith } from './platforms/datacenter/plan.ts';
import { loadPlugins } from './plugins.ts';

const EXAMPLE = './examples/plugins/acme.mjs';
const example = async () => (await loadPlugins([EXAMPLE], projectRoot)).flatMap(({ actions }) => actions);

const problems = async (step: object, place: 'steps' | 'hooks' = 'steps') => {
  const own = { id: 'warm', action: 'acme.warm-cache@1', ...step };
  const cycle = ['guard', 'drain', 'stop', 'install', 'start', own, 'verify', 'enable', 'settle'];
  const strategy = inlineStrategySchema.parse(
    place === 'steps' ? { steps: { datacenter: cycle } } : { hooks: [{ ...own, at: 'always' }] },
  );
  const { checkSteps } = datacenterWith(await example());
  return checkSteps(strategy, new Map()).map(({ message }) => message);
};

describe('plug-ins', () => {
  test('add actions that steps and hooks may name, checked by their own schemas', async () => {
    assert.deepEqual(
      (await example()).map(({ name }) => name),
      ['acme.warm-cache'],
    );
    for (const place of ['steps', 'hooks'] as const) {
      assert.deepEqual(await problems({ with: { pages: ['/shop'] } }, place), []);
      assert.deepEqual(await problems({}, place), ['acme.warm-cache@1 needs the input "pages"']);
      assert.match(String(await problems({ with: { pages: ['$(reboot)'] } }, place)), /a path such as/);
      assert.match(String(await problems({ with: { pages: ['/'], host: 'x' } }, place)), /host is given/);
    }
    assert.match(String(await problems({ action: 'acme.warm-cash@1' })), /no action "acme.warm-cash@1"/);
  });

  const refused = (text: string) =>
    withTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'plugin.mjs'), text);
      await assert.rejects(loadPlugins(['./plugin.mjs'], folder), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'settings_invalid');
        assert.match(error.message, /The plug-in \.\/plugin\.mjs cannot be loaded: /);
        texts.push(error.message);
        return true;
      });
    });
  const texts: string[] = [];
  const action = (more: string) =>
    `export const plugin = ({ z, definePlugin, defineAction }) => definePlugin({ name: 'acme', actions: [defineAction({ name: 'acme.x', major: 1, inputs: z.object({}), outputs: z.object({}), fences: true, apply: () => {}, ${more} })] });`;

  test('that are not whole are refused, and no process begins with half of them', async () => {
    await refused('export const plugin = 1;');
    await refused('this is no module');
    await refused('export const plugin = () => ({ name: "acme", actions: [] });');
    await refused(action('major: 0'));
    await refused(action('inputs: 1'));
    await refused(action("name: 'other.x'"));
    await refused(action('apply: 1'));
    await refused('export const plugin = () => { throw new Error("not today"); };');
    await refused(action("name: 'host.run'").replace("'acme'", "'host'"));
    for (const [index, words] of [
      ...['no function `plugin`', 'Unexpected identifier', 'at least one', 'from 1 on', 'a zod object'],
      ...['not named after it: acme', 'a function', 'not today', 'of Edge itself'],
    ].entries())
      assert.match(texts[index] ?? '', new RegExp(words));
    assert.equal((await loadPlugins([EXAMPLE, 'examples/plugins/acme.mjs'], projectRoot)).length, 1);
    await assert.rejects(loadPlugins(['no-such-package'], projectRoot), /no-such-package/);
  });

  test('of scripts and actions have names that cannot be taken for each other', () => {
    assert.equal(
      scriptRequestSchema.safeParse({ kind: 'script', name: 'acme.x@1', content: '' }).success,
      false,
    );
  });
});
