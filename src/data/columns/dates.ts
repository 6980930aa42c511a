// Dates as people write them, and the calendar features that a model can learn from.

/** How the fields of a column of dates are read. */
export interface DateForm {
  /** Of 3/4/2024, the day is 3. */
  readonly dayFirst: boolean;
}

const TIME = '(?:[T ,]+(\\d{1,2}):(\\d{2})(?::(\\d{2}(?:\\.\\d+)?))?\\s*(Z|[+-]\\d{2}:?\\d{2})?)?';
const YEAR_FIRST = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})${TIME}$`, 'i');
const YEAR_LAST = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4})${TIME}$`, 'i');
const WORDS = new RegExp(`^(?:(\\d{1,2})[- .]+([a-z]{3,9})|([a-z]{3,9})[- .]+(\\d{1,2}))[-, .]+(\\d{4})${TIME}$`, 'i');
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY = 86_400;

/**
 * Year, month and day with the time of day in seconds and the offset of the time zone in minutes.
 */
interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly seconds: number;
  /** Day and month may be the other way round. */
  readonly swappable: boolean;
}

/** Seconds after midnight, from the groups of `TIME`, of UTC where a zone is given. */
function secondsOf(groups: readonly (string | undefined)[]): number | undefined {
  const [hour, minute, second, zone] = groups;
  if (hour === undefined) return 0;
  const [h, m, s] = [Number(hour), Number(minute), Number(second ?? 0)];
  if (h > 24 || m > 59 || s >= 61) return undefined;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '') ?? [];
  const offset = (sign === '-' ? -1 : 1) * (60 * Number(hours) + Number(minutes));
  return 3600 * h + 60 * m + s - 60 * offset;
}

function partsOf(field: string): Parts | undefined {
  let year: number;
  let [month, day] = [0, 0];
  let swappable = false;
  let time: readonly (string | undefined)[];
  const first = YEAR_FIRST.exec(field);
  const last = first ? null : YEAR_LAST.exec(field);
  const words = first || last ? null : WORDS.exec(field);
  if (first) {
    [year, month, day] = [Number(first[1]), Number(first[3]), Number(first[4])];
    time = first.slice(5);
  } else if (last) {
    [day, month, year] = [Number(last[1]), Number(last[3]), Number(last[4])];
    // With points, the day is always first.
    swappable = last[2] !== '.';
    time = last.slice(5);
  } else if (words) {
    month = 1 + MONTHS.indexOf((words[2] ?? words[3] ?? '').slice(0, 3).toLowerCase());
    [day, year] = [Number(words[1] ?? words[4]), Number(words[5])];
    time = words.slice(6);
  } else return undefined;
  const seconds = secondsOf(time);
  return seconds === undefined ? undefined : { year, month, day, seconds, swappable };
}

function isValid({ year, month, day }: Pick<Parts, 'year' | 'month' | 'day'>): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

const swapped = (parts: Parts): Parts => ({ ...parts, day: parts.month, month: parts.day });

/** The evidence of a column's fields on how its dates are written, gathered field by field. */
export class DateScan {
  /** Fields that are dates in some order. */
  dates = 0;
  #dayFirst = 0;
  #monthFirst = 0;
  #either = 0;

  /** Takes a field. @returns whether it is a date */
  add(field: string): boolean {
    const parts = partsOf(field);
    if (!parts) return false;
    const [asDay, asMonth] = [isValid(parts), parts.swappable && isValid(swapped(parts))];
    if (!asDay && !asMonth) return false;
    this.dates += 1;
    if (parts.swappable && parts.day !== parts.month) {
      if (asDay && asMonth) this.#either += 1;
      else if (asDay) this.#dayFirst += 1;
      else this.#monthFirst += 1;
    }
    return true;
  }

  /**
   * The form of all fields.
   *
   * @param dayFirst what the caller says of 3/4/2024
   * @returns a reason instead where the fields contradict each other or may be either
   */
  form(dayFirst: boolean | undefined): DateForm | string {
    if (this.#dayFirst > 0 && this.#monthFirst > 0) return 'mixes dates with the day first and the month first';
    const proven = this.#dayFirst > 0 ? true : this.#monthFirst > 0 ? false : undefined;
    if (proven === undefined && dayFirst === undefined && this.#either > 0)
      return 'holds dates whose first number may be the day or the month: say which, or write 2024-12-31';
    return { dayFirst: proven ?? dayFirst ?? true };
  }
}

/** Calendar features by the suffix of their column. */
const features: Readonly<Record<string, (date: Date, days: number) => number>> = {
  days: (_, days) => days,
  year: (date) => date.getUTCFullYear(),
  month: (date) => date.getUTCMonth() + 1,
  day: (date) => date.getUTCDate(),
  weekday: (date) => (date.getUTCDay() + 6) % 7,
  hour: (date) => date.getUTCHours(),
};

/** Names of the calendar features of a column, in the order of `calendarOf`. */
export function calendarNames(column: string): string[] {
  return Object.keys(features).map((feature) => `${column} (${feature})`);
}

/**
 * Days since 1970 with the time as a fraction, year, month, day of the month, weekday (Monday is 0)
 * and hour, all in UTC; NaN where the field is no date.
 */
export function calendarOf(field: string, { dayFirst }: DateForm): number[] {
  const found = partsOf(field);
  const parts = found && (found.swappable && !dayFirst ? swapped(found) : found);
  if (!parts || !isValid(parts)) return Object.keys(features).map(() => Number.NaN);
  const seconds = Date.UTC(parts.year, parts.month - 1, parts.day) / 1000 + parts.seconds;
  const date = new Date(1000 * seconds);
  return Object.values(features).map((feature) => feature(date, seconds / DAY));
}
