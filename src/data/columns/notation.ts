// Numbers as people write them: decimal points or commas, separators of thousands, percentages,
// currencies, negative amounts in parentheses. One column has one notation, which its own fields
// decide, or those of the other columns where it could be either: "1,234" alone is no evidence.

/** The character before the decimals. */
export type DecimalMark = '.' | ',';

/** How the numbers of a column are written. */
export interface Notation {
  readonly decimal: DecimalMark;
  /** Fields have a sign of percent: values are hundredths. */
  readonly percent: boolean;
  /** Fields have separators, a currency or parentheses, so that `Number` does not read them. */
  readonly plain: boolean;
}

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
/** A point and three digits: decimals, or thousands where commas are decimal. */
const POINT_OR_GROUP = /^[+-]?[1-9]\d{0,2}\.\d{3}$/;
const CURRENCY = /^(?:US\$|A\$|C\$|HK\$|R\$|[$€£¥₹₩₽₺₫฿]|USD|EUR|GBP|JPY|CHF|INR|CNY|kr|zł)/i;
const CURRENCY_AFTER = /(?:[$€£¥₹₩₽₺₫฿]|USD|EUR|GBP|JPY|CHF|INR|CNY|kr|zł)$/i;
const SPACES = '[ \\u00a0\\u202f\\u2009]';
const SPACED = new RegExp(`^\\d{1,3}(?:(?:${SPACES}\\d{3})+|(?:['’]\\d{3})+)(?:([.,])\\d+)?$`);
const EXPONENT = '(?:e[+-]?\\d+)?';
const COMMA_GROUPS = /^\d{1,3}(?:,\d{3})+$/;
const COMMA_GROUPS_POINT = /^\d{1,3}(?:,\d{3})+\.\d+$/;
const POINT_GROUPS = /^\d{1,3}(?:\.\d{3}){2,}$/;
const POINT_GROUPS_COMMA = /^\d{1,3}(?:\.\d{3})+,\d+$/;
const COMMA = new RegExp(`^(?:\\d+,\\d*|,\\d+)${EXPONENT}$`, 'i');
const BARE = new RegExp(`^(?:\\d+\\.?\\d*|\\.\\d+)${EXPONENT}$`, 'i');

/** What a field says of the notation of its column. */
type Evidence = 'point' | 'comma' | 'either' | 'none';

/** A field without sign, currency, percent sign and parentheses. */
interface Stripped {
  readonly digits: string;
  readonly negative: boolean;
  readonly percent: boolean;
  readonly currency: string;
}

function stripped(field: string): Stripped {
  let text = field;
  let negative = false;
  let percent = false;
  let currency = '';
  if (/^\(.+\)$/.test(text)) [negative, text] = [true, text.slice(1, -1).trim()];
  const sign = () => {
    if (!/^[+\-−]/.test(text)) return;
    if (text[0] !== '+') negative = !negative;
    text = text.slice(1).trimStart();
  };
  sign();
  if (text.endsWith('%')) [percent, text] = [true, text.slice(0, -1).trimEnd()];
  const symbol = CURRENCY.exec(text) ?? CURRENCY_AFTER.exec(text);
  if (symbol) {
    currency = symbol[0].toUpperCase();
    text = (symbol.index === 0 ? text.slice(symbol[0].length) : text.slice(0, symbol.index)).trim();
    if (symbol.index === 0) sign();
  }
  return { digits: text, negative, percent, currency };
}

/** What the digits say; undefined where they are no number. */
function evidenceOf(digits: string): Evidence | undefined {
  if (/^\d{1,3}(?:,\d{3})$/.test(digits)) return digits.startsWith('0') ? 'comma' : 'either';
  if (COMMA_GROUPS.test(digits) || COMMA_GROUPS_POINT.test(digits)) return 'point';
  if (POINT_GROUPS.test(digits) || POINT_GROUPS_COMMA.test(digits) || COMMA.test(digits)) return 'comma';
  const spaced = SPACED.exec(digits);
  if (spaced) return spaced[1] === '.' ? 'point' : spaced[1] === ',' ? 'comma' : 'none';
  if (!BARE.test(digits)) return undefined;
  if (!digits.includes('.')) return 'none';
  return POINT_OR_GROUP.test(digits) ? 'either' : 'point';
}

/** The evidence of a column's fields on how its numbers are written, gathered field by field. */
export class NotationScan {
  /** Fields that are numbers. */
  numbers = 0;
  /** A definite decimal point, and a definite decimal comma. */
  point = 0;
  comma = 0;
  /** Fields such as 1.234, and such as 1,234. */
  eitherPoint = 0;
  eitherComma = 0;
  percent = 0;
  separated = 0;
  readonly currencies = new Set<string>();
  /** First field whose comma may be either. */
  example = '';

  /** Takes a field. @returns whether it is a number in some notation */
  add(field: string): boolean {
    if (PLAIN.test(field)) {
      this.numbers += 1;
      if (POINT_OR_GROUP.test(field)) this.eitherPoint += 1;
      else if (field.includes('.')) this.point += 1;
      return true;
    }
    const { digits, percent, currency } = stripped(field);
    const evidence = evidenceOf(digits);
    if (evidence === undefined) return false;
    this.numbers += 1;
    this.separated += 1;
    if (percent) this.percent += 1;
    if (currency !== '') this.currencies.add(currency);
    if (evidence === 'point') this.point += 1;
    if (evidence === 'comma') this.comma += 1;
    if (evidence === 'either') {
      const comma = digits.includes(',');
      if (comma) this.eitherComma += 1;
      else this.eitherPoint += 1;
      if (comma && this.example === '') this.example = field;
    }
    return true;
  }

  /** The mark that the fields of this column alone prove; undefined without proof. */
  get proven(): DecimalMark | undefined {
    if (this.point > 0) return '.';
    return this.comma > 0 ? ',' : undefined;
  }

  /**
   * The column's notation.
   *
   * @param given the decimal mark that the caller says, or that the rest of the table proves
   * @returns a reason instead where the fields contradict each other or may be either
   */
  notation(given: DecimalMark | undefined): Notation | string {
    if (this.point > 0 && this.comma > 0) return 'mixes decimal points and decimal commas';
    if (this.currencies.size > 1) return `mixes currencies (${[...this.currencies].join(', ')})`;
    if (this.percent > 0 && this.percent < this.numbers) return 'mixes percentages and other numbers';
    const decimal = this.proven ?? (this.separated > 0 || given === ',' ? given : '.');
    if (decimal === undefined && this.eitherComma > 0)
      return `may hold thousands or decimals ("${this.example}"): say which by a decimal mark of "." or ","`;
    return { decimal: decimal ?? '.', percent: this.percent > 0, plain: this.separated === 0 && decimal !== ',' };
  }
}

/** The number of a field in a notation; NaN where it is none. */
export function numberOf(field: string, { decimal, percent, plain }: Notation): number {
  if (plain) return PLAIN.test(field) ? Number(field) : Number.NaN;
  const { digits, negative } = stripped(field);
  if (evidenceOf(digits) === undefined) return Number.NaN;
  const groups = decimal === '.' ? /[, \u00a0\u202f\u2009'’]/g : /[. \u00a0\u202f\u2009'’]/g;
  const value = Number(digits.replace(groups, '').replace(',', '.'));
  const size = percent ? value / 100 : value;
  return negative ? -size : size;
}

/** Whether a field is an integer whose zeros in front would be lost, as in codes. */
export function hasLeadingZero(field: string): boolean {
  return /^[+-]?0\d/.test(field) && INTEGER.test(field);
}

/** Whether a field is an integer that double precision does not hold. */
export function isBeyondDouble(field: string): boolean {
  if (field.length < 16 || !INTEGER.test(field)) return false;
  const value = Number(field);
  return !Number.isSafeInteger(value) && BigInt(value) !== BigInt(field.replace('+', ''));
}
