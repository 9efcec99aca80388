import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext } from 'react';
import type { SessionInfo } from '../../src/api/contract.ts';
import type { Permission } from '../../src/domain/permission.ts';
import { edge, isSignedOut } from './client.ts';
import { SignIn } from './pages/sign-in.tsx';
import { Fault, Skeleton } from './parts/notes.tsx';

const Session = createContext<SessionInfo | null>(null);

export const SESSION_KEY = ['session'] as const;

/** Shows what is in it to whoever is signed in, at the address that they asked for; and everybody else how to. */
export function SignedIn({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const { data, error, isPending } = useQuery({
    queryKey: SESSION_KEY,
    queryFn: async () => (await edge.session()).session,
    retry: (_, failure) => !isSignedOut(failure),
    retryDelay: 2_000,
    staleTime: 60_000,
  });
  if (data && !isSignedOut(error)) return <Session value={data}>{children}</Session>;
  if (isSignedOut(error))
    return <SignIn onSignedIn={(session) => client.setQueryData(SESSION_KEY, session)} />;
  return <main className="alone">{isPending ? <Skeleton lines={4} /> : <Fault error={error} />}</main>;
}

/** Who is signed in. */
export function useSession(): SessionInfo {
  const session = useContext(Session);
  if (!session) throw new Error('nobody is signed in here');
  return session;
}

export function useMay(): (permission: Permission) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.includes(permission);
}
