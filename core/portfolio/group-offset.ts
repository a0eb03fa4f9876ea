import type { Floor } from "./add-ons.ts";
import { addProduct, worstOf } from "./expiry-bucket.ts";
import type { CorrelationGroup, PortfolioTerms } from "./portfolio-terms.ts";
import { jointNames } from "./scenario-set.ts";

const PPM = 1_000_000;

/** What the offset of a group is made from. */
interface Member {
  readonly unitId: string;
  readonly scanLoss: number;
  readonly joint: Float64Array;
  readonly initial: number;
  readonly maintenance: number;
  readonly floor: Floor;
}

/** The offset that a group of units is given. Figures are in the valuation asset. */
export interface GroupOffset {
  readonly groupId: string;
  readonly members: readonly string[];
  /** Σ of the members' losses in the joint moves, each alone and at most its scan loss. */
  readonly lossApart: number;
  /** The loss of all of them together in one joint move. */
  readonly lossTogether: number;
  /** The joint move that has it; null where none loses. */
  readonly binding: string | null;
  /** λ of the difference: the most that is given. */
  readonly cap: number;
  /** What IM and MM are lowered by; less than the cap times the factor where floors hold. */
  readonly initial: number;
  readonly maintenance: number;
}

/**
 * The inter-asset offset (M6): `L_grp = ΣL_i − λ·(ΣL_i* − L_joint)`, which is `λ·L_joint + (1 − λ)·ΣL_i` where
 * the members lose most in joint moves. Losses that no joint move shows, in the tails, are not offset: one
 * unit alone is given nothing. Charges and floors are not offset either.
 *
 * @returns nothing for a group of which fewer than two members are held.
 */
export const groupOffset = (group: CorrelationGroup, units: readonly Member[], terms: PortfolioTerms): readonly GroupOffset[] => {
  const held = units.filter(({ unitId }) => group.members.some((member) => member.unitId === unitId));
  const first = held[0];
  if (first === undefined || held.length < 2) return [];
  const rows = first.joint.length;
  const joint = new Float64Array(rows);
  for (const unit of held) addProduct(joint, unit.joint, 1);
  const lossApart = held.reduce((sum, unit) => sum + Math.min(unit.scanLoss, worstOf(unit.joint, 0, rows).loss), 0);
  const { loss: lossTogether, row } = worstOf(joint, 0, rows);
  const cap = (Math.max(0, lossApart - lossTogether) * group.lambdaPpm) / PPM;
  const factor = terms.fImPpm / terms.fMmPpm;
  const room = (amount: number, floor: number, given: number): number => Math.max(0, Math.min(given, amount - floor));
  const floor = held.reduce((sum, unit) => sum + unit.floor.maintenance, 0);
  const initial = held.reduce((sum, unit) => sum + unit.initial, 0);
  const maintenance = held.reduce((sum, unit) => sum + unit.maintenance, 0);
  return [
    {
      groupId: group.groupId,
      members: held.map(({ unitId }) => unitId),
      lossApart,
      lossTogether,
      binding: jointNames(group)[row] ?? null,
      cap,
      initial: room(initial, floor * factor, (cap * terms.fImPpm) / PPM),
      maintenance: room(maintenance, floor, (cap * terms.fMmPpm) / PPM),
    },
  ];
};
