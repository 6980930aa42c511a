// Holes of a domain as signed distances: how far a point lies outside (+) or inside (−), the
// nearest point of the outline, and the normal there.

/** The point of an outline nearest to another, and the unit normal that leads out of the region. */
export interface Nearest {
  /** Signed distance: negative inside the region. */
  readonly distance: number;
  /** Nearest point of the outline. */
  readonly x: number;
  /** Nearest point of the outline. */
  readonly y: number;
  /** Normal, x part. */
  readonly nx: number;
  /** Normal, y part. */
  readonly ny: number;
}

/** A region of the plane that is cut out of the domain. */
export interface Region {
  /** Signed distance and the nearest point of the outline. */
  nearest(x: number, y: number): Nearest;
  /** Length of the outline. */
  readonly length: number;
  /** The point of the outline at a share of its length, with the outward normal. */
  outline(share: number): Nearest;
}

/** A disk. @throws RangeError unless the radius is positive */
export function disk(cx: number, cy: number, radius: number): Region {
  if (!(radius > 0) || ![cx, cy, radius].every(Number.isFinite))
    throw new RangeError(`disk: expected a centre and a positive radius, got ${cx}, ${cy}, ${radius}`);
  const at = (nx: number, ny: number, distance: number): Nearest => ({
    distance,
    x: cx + radius * nx,
    y: cy + radius * ny,
    nx,
    ny,
  });
  return {
    length: 2 * Math.PI * radius,
    nearest: (x, y) => {
      const away = Math.hypot(x - cx, y - cy);
      return away === 0 ? at(1, 0, -radius) : at((x - cx) / away, (y - cy) / away, away - radius);
    },
    outline: (share) => at(Math.cos(2 * Math.PI * share), Math.sin(2 * Math.PI * share), 0),
  };
}

/** Corner points of a polygon. */
export type Corners = readonly (readonly [x: number, y: number])[];

/**
 * A simple polygon, its corners in either direction.
 *
 * @throws RangeError with fewer than three corners, without an area, or with sides that cross
 */
export function polygon(given: Corners): Region {
  if (given.length < 3 || !given.flat().every(Number.isFinite))
    throw new RangeError(`polygon: expected at least three corners of finite numbers, got ${JSON.stringify(given)}`);
  const turned = twiceArea(given);
  if (Math.abs(turned) < 1e-12) throw new RangeError('polygon: the corners lie on a line');
  // Counter-clockwise, so that (dy, −dx) leads outwards.
  const corners = turned > 0 ? given : [...given].reverse();
  const sides = corners.map((from, i) => {
    const to = corners[(i + 1) % corners.length] as readonly [number, number];
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const length = Math.hypot(dx, dy);
    return { from, dx, dy, length, nx: dy / length, ny: -dx / length };
  });
  if (sides.some(({ length }) => length === 0)) throw new RangeError('polygon: two corners in a row are the same');
  requireSimple(corners);
  const length = sides.reduce((sum, side) => sum + side.length, 0);
  return {
    length,
    nearest: (x, y) => {
      // Plain numbers: this runs for every pixel of every problem that is drawn.
      let closest = 0;
      let least = Number.POSITIVE_INFINITY;
      let at = 0;
      for (let i = 0; i < sides.length; i++) {
        const side = sides[i] as (typeof sides)[number];
        const [awayX, awayY] = [x - side.from[0], y - side.from[1]];
        const share = Math.min(1, Math.max(0, (awayX * side.dx + awayY * side.dy) / side.length ** 2));
        const square = (awayX - share * side.dx) ** 2 + (awayY - share * side.dy) ** 2;
        if (square < least) {
          least = square;
          closest = i;
          at = share;
        }
      }
      const { from, dx, dy, nx, ny } = sides[closest] as (typeof sides)[number];
      const distance = Math.sqrt(least) * (contains(corners, x, y) ? -1 : 1);
      return { distance, x: from[0] + at * dx, y: from[1] + at * dy, nx, ny };
    },
    outline: (share) => {
      let rest = (((share % 1) + 1) % 1) * length;
      for (const { from, dx, dy, length: own, nx, ny } of sides) {
        if (rest <= own) return { distance: 0, x: from[0] + (rest / own) * dx, y: from[1] + (rest / own) * dy, nx, ny };
        rest -= own;
      }
      const [{ from, nx, ny }] = sides as [(typeof sides)[number]];
      return { distance: 0, x: from[0], y: from[1], nx, ny };
    },
  };
}

/** The rectangle between two opposite corners. */
export function rectangle(x0: number, y0: number, x1: number, y1: number): Region {
  return polygon([
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ]);
}

function twiceArea(corners: Corners): number {
  return corners.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = corners[(i + 1) % corners.length] as readonly [number, number];
    return sum + x * nextY - nextX * y;
  }, 0);
}

/** Whether a ray to the right crosses the outline an odd number of times. */
function contains(corners: Corners, x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [xi, yi] = corners[i] as readonly [number, number];
    const [xj, yj] = corners[j] as readonly [number, number];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function requireSimple(corners: Corners): void {
  const side = (i: number) => [corners[i], corners[(i + 1) % corners.length]] as [Corners[number], Corners[number]];
  const turn = ([ax, ay]: Corners[number], [bx, by]: Corners[number], [cx, cy]: Corners[number]) =>
    Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
  for (let i = 0; i < corners.length; i++)
    for (let j = i + 2; j < corners.length; j++) {
      if (i === 0 && j === corners.length - 1) continue;
      const [[a, b], [c, d]] = [side(i), side(j)];
      if (turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0)
        throw new RangeError('polygon: its sides cross; list the corners in order around it');
    }
}
