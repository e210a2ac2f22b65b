/** What the kernel tells of a session only where it is asked: settings, libraries, other clusters. */

import { amount, count, fields, items, text } from './reading';

const MOST_SETTINGS = 500;
const MOST_LIBRARIES = 200;
const MOST_CLUSTERS = 200;
/** The names that a cluster can have. */
const CLUSTER = /^[\w.-]+$/;

/** The types of resources that are asked for. */
export const DETAILS = ['settings', 'libraries', 'clusters'];

export interface ISetting {
  key: string;
  value: string;
  /** Which layer of the configuration has set it. */
  origin: string;
  /** Whether a person has set it, and not Spark or the kernel. */
  isChosen: boolean;
}

export interface ILibrary {
  kind: string;
  name: string;
  version: string;
  origin: string;
  size: number | null;
}

export interface IDetails {
  settings: ISetting[];
  omittedSettings: number;
  /** Whether the settings are those of a session that is still to come. */
  isNext: boolean;
  /** How old the settings are, in seconds; null where the kernel has only begun to ask for them. */
  age: number | null;
  libraries: ILibrary[];
  omittedLibraries: number;
  clusters: string[];
  /** Why there are no names of clusters, if that is a mistake of somebody's. */
  problem: string;
}

/** Read the content of a `resource_info_reply`; null where it tells nothing of these. */
export function readDetails(content: unknown): IDetails | null {
  const of = fields(content);
  const entries = items(of.resources, 10);
  const entry = (type: string) => fields(entries.find(one => one.type === type));
  const settings = entry('settings');
  const libraries = entry('libraries');
  const clusters = entry('clusters');
  if (of.status !== 'ok' || settings.type !== 'settings') {
    return null;
  }
  return {
    settings: items(settings.settings, MOST_SETTINGS).map(one => ({
      key: text(one.key, 400),
      value: text(one.value, 400),
      origin: text(one.origin, 400),
      isChosen: one.is_chosen === true
    })),
    omittedSettings: count(fields(settings.omitted).settings),
    isNext: settings.of === 'next',
    age: amount(settings.age_s),
    libraries: items(libraries.libraries, MOST_LIBRARIES).map(one => ({
      kind: text(one.kind, 20),
      name: text(one.name, 200),
      version: text(one.version, 80),
      origin: text(one.origin, 400),
      size: amount(one.size_bytes)
    })),
    omittedLibraries: count(fields(libraries.omitted).libraries),
    clusters: Array.isArray(clusters.clusters)
      ? clusters.clusters
          .slice(0, MOST_CLUSTERS)
          .filter((name): name is string => typeof name === 'string' && CLUSTER.test(name))
      : [],
    problem: text(fields(clusters.error).message, 1000)
  };
}

/** Give the settings that have all of the words in their key, value or origin, in their order. */
export function matching(settings: ISetting[], wanted: string): ISetting[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return settings.filter(one => {
    const said = `${one.key} ${one.value} ${one.origin}`.toLowerCase();
    return words.every(word => said.includes(word));
  });
}
