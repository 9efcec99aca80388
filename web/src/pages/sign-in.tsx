import { type FormEvent, useState } from 'react';
import type { SessionInfo } from '../../../src/api/contract.ts';
import { signIn } from '../client.ts';
import { Fault } from '../parts/notes.tsx';

/** A token is shown once; the browser then keeps a session, and no script of the page can read it. */
export function SignIn({ onSignedIn }: { readonly onSignedIn: (session: SessionInfo) => void }) {
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim();
    setBusy(true);
    setError(null);
    try {
      onSignedIn(await signIn(token));
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  };
  return (
    <main className="alone">
      <form className="card sign-in" onSubmit={submit}>
        <img src="/edge.svg" alt="" width="40" height="40" />
        <h1>Sign in to Edge</h1>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          autoComplete="current-password"
          required
          spellCheck={false}
          aria-describedby="token-help"
        />
        <p id="token-help" className="dim">
          An administrator makes one with <code>edge token create</code>. The first one lies in the data
          folder of the server, in the file <code>token</code>.
        </p>
        {error !== null && <Fault error={error} />}
        <button type="submit" className="main" disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
