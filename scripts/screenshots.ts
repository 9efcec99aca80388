// Makes the pictures of docs/pictures/ from a lab on this machine: `bin/node scripts/screenshots.ts`. Needs Chromium.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { openPageWorld, type PageWorld } from '../test/support/page-world.ts';
import { ensurePage } from './page.ts';
import { projectRoot } from './project.ts';
import { requireService } from './services.ts';

const FOLDER = join(projectRoot, 'docs/pictures');
const SIZE = { width: 1440, height: 900 };
const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

await ensurePage();
const { path, skip } = requireService('chromium');
if (path === undefined) throw new Error(skip);
await mkdir(FOLDER, { recursive: true });
const world = await openPageWorld(24);
const browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
try {
  await takeAll(browser, world);
} finally {
  await browser.close();
  await world.stop();
}

async function takeAll(from: Browser, world: PageWorld): Promise<void> {
  const { deploy, ends, edge, url, token } = world;
  await ends(await deploy('v1'));
  await addPlaces(world);
  await deploy('v2', { environment: 'staging', reason: 'for the pictures' });
  const out = await from.newContext({ viewport: SIZE });
  await both(await out.newPage(), 'sign-in', `${url}/`, 'h1');
  const context = await from.newContext({ viewport: SIZE });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Now' }).waitFor();

  const running = await deploy('v2');
  await page.goto(`${url}/deployments/${running}`);
  await page.locator('.cell[data-status="succeeded"]').nth(5).waitFor({ timeout: 60_000 });
  await edge.pause({ deployment: running, reason: 'the pictures are taken' });
  await both(page, 'deployment', `${url}/deployments/${running}`, '.lane');
  await both(page, 'now', `${url}/`, '.row');
  await both(page, 'environments', `${url}/environments`, '.matrix');
  await edge.resume({ deployment: running, reason: 'the pictures are taken' });
  await ends(running);
  const failed = await deploy('v3');
  await ends(failed);
  await both(page, 'deployment-failed', `${url}/deployments/${failed}`, '.lane');
  await page.setViewportSize({ width: 390, height: 844 });
  await both(page, 'deployment-phone', `${url}/deployments/${failed}`, '.lane');
}

/** A second project and a second environment, where two people have to agree; nothing is ever put there. */
async function addPlaces({ edge, fleet }: PageWorld): Promise<void> {
  const [project = '', environment = '', place = ''] = fleet.configuration.split('---\n');
  const staging = environment
    .replace('name: lab', 'name: staging')
    .replace('policy:\n', 'policy:\n  approvals: { count: 1 }\n');
  const billing = project.replace('name: shop', 'name: billing').replace('~/shop', '~/billing');
  const places = [
    place.replace('environment: lab', 'environment: staging'),
    place.replace('project: shop', 'project: billing'),
  ];
  const text = [billing, staging, ...places].join('---\n');
  await edge.applyConfiguration({ files: [{ path: 'more.yaml', text }] });
}

async function both(page: Page, name: string, url: string, there: string): Promise<void> {
  for (const theme of THEMES) await take(page, { name, url, there, theme });
}

type Picture = { readonly name: string; readonly url: string; readonly there: string; readonly theme: Theme };

async function take(page: Page, { name, url, there, theme }: Picture): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  await page.goto(url);
  await page.locator(there).first().waitFor();
  await page.waitForTimeout(600);
  await page.screenshot({
    path: join(FOLDER, `${name}-${theme}.png`),
    fullPage: name.startsWith('deployment'),
  });
}
