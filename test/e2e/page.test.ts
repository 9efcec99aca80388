import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ensurePage } from '../../scripts/page.ts';
import { requireService } from '../../scripts/services.ts';
import { inert } from '../../src/lib/inert-text.ts';
import { axeViolations, eventVersions, openPage, type Watched } from '../support/page-browser.ts';
import { openPageWorld, type PageWorld, PLACE } from '../support/page-world.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const service = requireService('chromium');

describe('the page, in a real browser on a real server and the lab', { skip: service.skip ?? false }, () => {
  let world: PageWorld;
  let browser: Browser;
  let watched: Watched;
  let page: Page;

  before(async () => {
    await ensurePage();
    world = await openPageWorld(4);
    await world.ends(await world.deploy('v1'));
    browser = await chromium.launch({ executablePath: service.path ?? '', args: ['--no-sandbox'] });
    watched = await openPage(browser);
    page = watched.page;
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  /** Nothing that the policy of the page forbids was tried, and nothing went wrong in it. */
  const quiet = (): void => assert.deepEqual(watched.complaints(), []);

  test('who is not signed in is asked for a token, at any address, and a wrong one is refused in words', async () => {
    await page.goto(`${world.url}/environments`);
    await page.getByLabel('Token').fill('edge_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('The token is not known').waitFor();
    assert.deepEqual(await axeViolations(page), []);
    await page.getByLabel('Token').fill(world.token);
    await page.keyboard.press('Enter');
    await page.getByRole('table').getByText('v1', { exact: true }).waitFor();
    assert.equal(await page.getByRole('rowheader').textContent(), 'shop');
    quiet();
  });

  test('the session lies where no script reads it, and the token nowhere', async () => {
    const [cookie] = await watched.context.cookies();
    assert.equal(cookie?.name, 'edge_session');
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict']);
    assert.equal(await page.evaluate('document.cookie'), '');
    assert.doesNotMatch(String(await page.evaluate('JSON.stringify(localStorage)')), /edge_/);
  });

  test('a deployment is seen live from its start to its end, without a reload', async () => {
    await page.goto(world.url);
    await page.getByText('Nothing is under way').waitFor();
    const id = await world.deploy('v2');
    await page.getByRole('link', { name: /shop → lab deploy v2/ }).click();
    await page.locator('.cell[data-status="running"]').first().waitFor();
    await page.locator('.lane').first().waitFor();
    await page.getByRole('log').getByText('started v2').first().waitFor();
    await page.locator('.head .pill').getByText('succeeded').waitFor({ timeout: 60_000 });
    assert.equal(await page.locator('.cell[data-status="succeeded"]').count(), 4);
    await sameEvents(page, world, id);
    quiet();
  });

  test('the log is filtered by target, and by text', async () => {
    await page.getByRole('option', { name: /^web-3: / }).click();
    await until('only lines of web-3', async () => {
      const lines = await page.locator('.log-lines p').allTextContents();
      return lines.length > 0 && lines.every((line) => line.startsWith('web-3 '));
    });
    await page.getByLabel('Only lines with').fill('no line has this');
    await page.getByText('No line has that').waitFor();
    await page.getByLabel('Only lines with').fill('');
    await page.getByRole('button', { name: 'Close web-3' }).click();
  });

  test('a person pauses and resumes it, with reasons that stand in the record', async () => {
    const id = await world.deploy('v1');
    await page.goto(`${world.url}/deployments/${id}`);
    await say(page, 'Pause', 'to look at the graphs');
    await page.getByText('Paused by first: to look at the graphs').waitFor();
    await page.goto(world.url);
    await page.locator('.row').getByText('to look at the graphs').waitFor();
    await page.goBack();
    await say(page, 'Resume', 'they look well');
    await page.locator('.events').getByText('resumed by first: they look well').waitFor();
    await page.locator('.head .pill').getByText('succeeded').waitFor({ timeout: 60_000 });
    quiet();
  });

  test('the network is cut and the server killed while it is watched: no event is missing, and none is there twice', async () => {
    const proxy = await startTcpProxy('127.0.0.1', {
      address: '127.0.0.1',
      port: Number(new URL(world.url).port),
    });
    try {
      const id = await world.deploy('v2');
      await page.goto(`http://127.0.0.1:${proxy.port}/deployments/${id}`);
      await page.locator('.cell[data-status="running"]').first().waitFor();
      proxy.cut();
      await world.kill();
      await page.getByText('no connection; trying again').first().waitFor();
      await world.start();
      await page.locator('.cell[data-status="succeeded"]').first().waitFor({ timeout: 60_000 });
      assert.equal(await page.getByText('no connection').count(), 0);
      proxy.cut();
      await page.locator('.head .pill').getByText('succeeded').waitFor({ timeout: 60_000 });
      await sameEvents(page, world, id);
    } finally {
      await page.goto(world.url);
      await proxy.close();
    }
    await page.getByRole('heading', { name: 'Now' }).waitFor();
  });

  test('another person approves what waits, and it is aborted, each with a reason; who may only read is offered no verb', async () => {
    await world.configure('  approvals: { count: 1 }\n');
    const id = await world.deploy('v1');
    await page.goto(world.url);
    await page.locator('.row').getByText('needs approval').waitFor();
    const { secret } = await world.edge.createToken({ name: 'ben', role: 'lead' });
    const reading = await world.edge.createToken({ name: 'eve', role: 'view' });
    const [ben, eve] = [await openPage(browser), await openPage(browser)];
    await signIn(eve.page, `${world.url}/deployments/${id}`, reading.secret);
    await eve.page.locator('.why').getByText('waits for 1 approval').waitFor();
    assert.equal(await eve.page.locator('.verbs button').count(), 0);
    await eve.context.close();
    await signIn(ben.page, `${world.url}/deployments/${id}`, secret);
    await say(ben.page, 'Approve', 'I have read its plan');
    await ben.page.locator('.events').getByText('approved by ben: I have read its plan').waitFor();
    await page
      .getByRole('link', { name: /shop → lab deploy v1/ })
      .first()
      .click();
    await say(page, 'Abort', 'the wrong release');
    await page.locator('.head .pill').getByText('aborted').waitFor({ timeout: 60_000 });
    assert.deepEqual(ben.complaints(), []);
    await ben.context.close();
    await world.configure();
  });

  test('what hosts and people write is text, whatever it is: no script runs, and no escape gets out', async () => {
    const hostile =
      '<img src=x onerror="document.title=1"><script>document.title=2</script>\u001b[31mred\u001b]0;t\u0007\u202e';
    const { deployment } = await world.edge.exec({
      ...{ ...PLACE, argv: ['printf', '%s\\n', hostile], targets: ['web-1'], reason: hostile },
    });
    assert.ok(deployment);
    await world.ends(deployment);
    await page.goto(`${world.url}/deployments/${deployment}`);
    const shown = '<img src=x onerror="document.title=1"><script>document.title=2</script>red';
    await page.getByRole('log').getByText(shown).waitFor();
    await page.locator('.events').getByText(shown).waitFor();
    assert.equal(await page.locator('#page img:not([src="/edge.svg"]), #page script').count(), 0);
    const text = String(await page.locator('body').textContent());
    assert.equal(inert(text), text);
    assert.match(await page.title(), / · Edge$/);
    quiet();
  });

  for (const theme of ['light', 'dark'] as const) {
    test(`axe finds nothing on any page: ${theme}`, async () => {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      const { deployments } = await world.edge.deployments({ limit: 1 });
      for (const path of ['/', '/environments', `/deployments/${deployments[0]?.id}`, '/nothing']) {
        await page.goto(`${world.url}${path}`);
        await page.locator('#main > *').first().waitFor();
        if (path.includes('deployments')) await page.locator('.lane').first().waitFor();
        assert.deepEqual(await axeViolations(page), [], path);
      }
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog', { name: 'Go to' }).waitFor();
      assert.deepEqual(await axeViolations(page), [], 'the palette');
      await page.keyboard.press('Escape');
    });
  }

  test('the palette and the cells are used by keyboard alone', async () => {
    await page.goto(world.url);
    await page.locator('.row').first().waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('deploy v2 succeeded');
    await page.keyboard.press('Enter');
    await page.locator('.cell').first().waitFor();
    await page.locator('.cell[tabindex="0"]').focus();
    await page.keyboard.press('End');
    await page.getByRole('region', { name: 'Target web-4' }).waitFor();
    await page.keyboard.press('Escape');
    await until(
      'it is closed',
      async () => (await page.getByRole('region', { name: /^Target / }).count()) === 0,
    );
  });

  test('signed out is signed out: the cookie of before is good for nothing', async () => {
    const [cookie] = await watched.context.cookies();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    const answer = await fetch(`${world.url}/v1/session`, {
      headers: { cookie: `${cookie?.name}=${cookie?.value}` },
    });
    assert.equal(answer.status, 401);
  });
});

async function signIn(page: Page, url: string, token: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('banner').waitFor();
}

async function say(page: Page, verb: string, reason: string): Promise<void> {
  await page.getByRole('button', { name: `${verb}…` }).click();
  await page.getByLabel('Reason').fill(reason);
  await page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** What the page shows is the record: each event of it once, and in its order. */
async function sameEvents(page: Page, { edge }: PageWorld, deployment: string): Promise<void> {
  const { view } = await edge.deployment({ deployment });
  const all = Array.from({ length: view.overall.version }, (_, n) => n + 1);
  await until('the last event is shown', async () => (await eventVersions(page)).at(-1) === all.at(-1));
  assert.deepEqual(await eventVersions(page), all);
}
