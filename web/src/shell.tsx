import type { QueryClient } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { createContext, useContext, useEffect, useState } from 'react';
import { edge, isSignedOut } from './client.ts';
import { LiveOverview, type Overview } from './live/overview.ts';
import { useStore } from './live/store.ts';
import { LinkNote } from './parts/link-note.tsx';
import { Palette } from './parts/palette.tsx';
import { SESSION_KEY, useSession } from './session.tsx';
import { keepTheme, keptTheme, THEMES, type Theme } from './theme.ts';

export const OverviewContext = createContext(new LiveOverview());

export const useOverview = (): Overview => useStore(useContext(OverviewContext).store);

/** What is around every page: where one can go, whether what is shown is of this moment, and who is signed in. */
export function Shell({ queries }: { readonly queries: QueryClient }) {
  const overview = useContext(OverviewContext);
  const { link, deployments } = useOverview();
  const active = deployments.filter(({ ended }) => !ended).length;
  useEffect(() => {
    const stop = new AbortController();
    void overview.run(stop.signal, (error) => {
      if (isSignedOut(error)) void queries.resetQueries({ queryKey: SESSION_KEY });
    });
    return () => stop.abort();
  }, [overview, queries]);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <Link to="/" className="brand">
          <img src="/edge.svg" alt="" width="20" height="20" /> Edge
        </Link>
        <nav aria-label="Pages">
          <Link to="/">Now{active > 0 && <span className="count">{active}</span>}</Link>
          <Link to="/environments">Environments</Link>
        </nav>
        <LinkNote link={link} />
        <Palette deployments={deployments} />
        <ThemeChoice />
        <Who queries={queries} />
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(keptTheme);
  return (
    <select
      aria-label="Theme"
      className="quiet-select"
      value={theme}
      onChange={({ target }) => {
        const chosen = THEMES.find((one) => one === target.value) ?? 'system';
        keepTheme(chosen);
        setTheme(chosen);
      }}
    >
      {THEMES.map((one) => (
        <option key={one} value={one}>
          {one === 'system' ? 'system theme' : one}
        </option>
      ))}
    </select>
  );
}

function Who({ queries }: { readonly queries: QueryClient }) {
  const { name } = useSession();
  const signOut = async () => {
    await edge.signOut();
    queries.clear();
    await queries.resetQueries({ queryKey: SESSION_KEY });
    location.reload();
  };
  return (
    <span className="who">
      <span title="The token that you signed in with">{name}</span>
      <button type="button" className="quiet" onClick={signOut}>
        Sign out
      </button>
    </span>
  );
}
