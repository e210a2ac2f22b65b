/** What can be cancelled, how that went, and what is said of it. */

import { TranslationBundle } from '@jupyterlab/translation';

import { Fields, text } from './reading';

/** What a button cancels. */
export interface ITarget {
  scope: 'cell' | 'job' | 'query';
  id: string | number;
}

/** The answer to a request to cancel something. */
export interface ICancelled {
  /** How many things were; null where they could not be, or nobody knows. */
  count: number | null;
  /** Why they could not be; empty where no sensible answer came. */
  why: string;
}

export interface INews {
  text: string;
  isGood: boolean;
}

/** Read the reply to a request; null where none came. */
export function readCancelled(of: Fields | null): ICancelled {
  return of?.status === 'ok' && Array.isArray(of.cancelled)
    ? { count: of.cancelled.length, why: '' }
    : { count: null, why: text(of?.evalue, 400) };
}

/**
 * Say how it went.
 *
 * @param done what is said where something was cancelled
 * @param none what is said where there was nothing to cancel, which must not look like a success
 */
export function cancelNews(
  answer: ICancelled,
  done: string,
  none: string,
  trans: TranslationBundle
): INews {
  if (answer.count === null) {
    return { text: answer.why || trans.__('The kernel did not answer.'), isGood: false };
  }
  return answer.count > 0 ? { text: done, isGood: true } : { text: none, isGood: false };
}
