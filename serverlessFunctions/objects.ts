/**
 * The objects of the data model, by universal identifier: the one place to edit when a workspace
 * already has its own `gift` or `appeal`, or when more objects carry totals. README.md says where to find the
 * identifiers. A test compares the two lists with the model and the built-in definitions.
 */
import { STANDARD_OBJECT_UNIVERSAL_IDENTIFIERS } from 'twenty-sdk/define';

export const PERSON = STANDARD_OBJECT_UNIVERSAL_IDENTIFIERS.person.universalIdentifier;
export const COMPANY = STANDARD_OBJECT_UNIVERSAL_IDENTIFIERS.company.universalIdentifier;
export const OPPORTUNITY = STANDARD_OBJECT_UNIVERSAL_IDENTIFIERS.opportunity.universalIdentifier;
export const GIFT = 'f4982d50-6be5-40d9-a2d1-6ab97086ead7';
export const APPEAL = 'c072d8d8-b605-4a4d-98c3-86f604c086f9';
export const GIFT_STAGING = '0493229c-78d3-57ae-983a-0aac1ef9c945';
export const GIFT_PAYOUT = '6fb2fb7c-c894-5342-9afb-04db633a973c';
export const RECURRING_AGREEMENT = '1506a043-1b8a-5cad-adc1-eef7ae363331';
export const APPEAL_SEGMENT = 'a1c6d8d7-ce53-5191-b106-80b8b308607b';
export const TRACKING_CODE = '96279d56-bc3e-506b-9ff0-af43fa6b3ca9';
export const FUND = '6e6951f3-50a0-5467-9821-cca3af464854';
export const SOLICITATION_SNAPSHOT = '5c64d9db-ef8b-5d09-b0d4-abc938a644d0';
export const GIFT_AID_DECLARATION = '460a66e3-9a4a-547b-865b-56666ed0729d';
export const SOFT_CREDIT = '80fe86d2-271d-5918-92a0-18c26a88b102';
export const HOUSEHOLD = '56099274-5a98-542a-afa4-5f9e6e61123c';

/** Objects whose records are added up, beside those that carry totals themselves. */
export const CHILD_OBJECTS: string[] = [GIFT, GIFT_STAGING, SOFT_CREDIT];

/** Objects whose records carry totals: those of the model, and those that the built-in definitions write to. */
export const PARENT_OBJECTS: string[] = [PERSON, COMPANY, APPEAL, HOUSEHOLD, RECURRING_AGREEMENT, GIFT_PAYOUT, OPPORTUNITY];

/**
 * Fields of a person that say where the person belongs, for definitions that add people up: updates of others are no
 * concern of theirs. Servers name a relation by either name. Totals must not stand here: they are the engine's own writes.
 */
export const PERSON_FIELDS: string[] = ['household', 'householdId'];
