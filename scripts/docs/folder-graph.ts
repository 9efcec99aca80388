// Draws which folder of src/ imports which, as a Mermaid graph in ARCHITECTURE.md.
import type { ICruiseResult } from 'dependency-cruiser';
import { cruiseImports } from '../imports.ts';
import type { Piece } from './piece.ts';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

export async function folderGraph(root: string): Promise<readonly Piece[]> {
  const graph = withoutShortcuts(importsBetweenFolders(await cruiseImports(root)));
  return [{ path: 'ARCHITECTURE.md', region: 'folder-graph', content: mermaid(graph) }];
}

const folderOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];

function importsBetweenFolders({ modules }: Pick<ICruiseResult, 'modules'>): Graph {
  const graph = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    const from = folderOf(source);
    if (from === undefined || source.endsWith('.test.ts')) continue;
    const targets = graph.get(from) ?? new Set();
    graph.set(from, targets);
    for (const { resolved } of dependencies) {
      const to = folderOf(resolved);
      if (to !== undefined && to !== from) targets.add(to);
    }
  }
  return graph;
}

/** Leaves out an arrow that the other arrows already say: with a → b → c, a → c is not drawn. */
export function withoutShortcuts(graph: Graph): Graph {
  const reduced = [...graph].map(([from, targets]): [string, Set<string>] => {
    const isShortcut = (to: string) =>
      [...targets].some((via) => via !== to && reachableFrom(graph, via).has(to));
    return [from, new Set([...targets].filter((to) => !isShortcut(to)))];
  });
  return new Map(reduced);
}

function reachableFrom(graph: Graph, start: string): Set<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const to of graph.get(from) ?? []) {
      if (!seen.has(to)) open.push(to);
      seen.add(to);
    }
  }
  return seen;
}

function mermaid(graph: Graph): string {
  const nodes = [...graph.keys()].sort();
  const arrows = nodes.flatMap((from) =>
    [...(graph.get(from) ?? [])].sort().map((to) => `  ${from} --> ${to}`),
  );
  return ['```mermaid', 'flowchart TD', ...nodes.map((node) => `  ${node}`), ...arrows, '```'].join('\n');
}
