/** Says durations, sizes and counts as the kernel's own displays do. */

/** Of the translations of all that people read. */
export const DOMAIN = 'spark_kernel';
/** Of the commands in the palette. */
export const CATEGORY = 'Spark';

/** The command that shows the driver log; of a plugin that can be switched off. */
export const SHOW_LOG = 'spark-kernel:show-log';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Say a time; tenths of what still runs would only flicker. */
export function durationText(seconds: number | null, isOver = true): string {
  if (seconds === null) {
    return '';
  }
  if (seconds < (isOver ? 59.95 : 1)) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = isOver ? Math.round(seconds) : Math.floor(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes} min ${whole % 60} s`;
  }
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Say a size in the units of Spark's own pages. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1023.95 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(size >= 99.95 || unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}

// One for all: to make a format takes longer than all else that a row needs.
const COUNTS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/**
 * Say a count with separators, the same in every locale.
 *
 * In `trans._n` it is `%2`: `%1` is the number without them.
 */
export function countText(count: number): string {
  return COUNTS.format(count);
}

/** Join what is there. */
export function joined(parts: (string | false | null | undefined)[]): string {
  return parts.filter(Boolean).join(' · ');
}
