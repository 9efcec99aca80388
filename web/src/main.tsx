import './no-eval.ts';

import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import { isSignedOut } from './client.ts';
import { makeRouter } from './router.tsx';
import { SESSION_KEY, SignedIn } from './session.tsx';
import './style/tokens.css';
import './style/base.css';
import './style/parts.css';
import './style/pages.css';
import './style/deployment.css';
import { applyTheme, keptTheme } from './theme.ts';

applyTheme(keptTheme());

const queries = new QueryClient({
  queryCache: new QueryCache({
    // A session that has ended while the page was open: whoever looks at it signs in again, where they are.
    onError: (error, query) => {
      if (isSignedOut(error) && query.queryKey[0] !== SESSION_KEY[0])
        void queries.resetQueries({ queryKey: SESSION_KEY });
    },
  }),
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: true } },
});

const root = document.getElementById('page');
if (!root) throw new Error('the document has no place for the page');
createRoot(root).render(
  <QueryClientProvider client={queries}>
    <SignedIn>
      <RouterProvider router={makeRouter(queries)} />
    </SignedIn>
  </QueryClientProvider>,
);
