import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';

export type Watched = {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser had to say since the last call: errors, and what its policy has refused. */
  readonly complaints: () => readonly string[];
};

/** A window of its own, with nobody signed in. */
export async function openPage(browser: Browser): Promise<Watched> {
  // Axe is put into the page past its policy: it is no part of it.
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const said: string[] = [];
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('console', (message) => {
    // A refused request is told by the page itself, in words.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text()))
      said.push(message.text());
  });
  return { context, page, complaints: () => said.splice(0) };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong with what is shown, by the rules of WCAG 2.2 AA and its best practices. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const found: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
       violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ' ' + failureSummary)))`,
  );
  return Array.isArray(found) ? found.map(String) : ['axe gave no list'];
}

/** The versions of the events that are shown, oldest first. All of them: the list is opened if it is cut. */
export async function eventVersions(page: Page): Promise<readonly number[]> {
  const all = page.getByRole('button', { name: /^Show all/ });
  if ((await all.count()) > 0) await all.click();
  const versions: unknown = await page.evaluate(
    `[...document.querySelectorAll('.events li')].map((each) => Number(each.dataset.version)).reverse()`,
  );
  return Array.isArray(versions) ? versions.map(Number) : [];
}
