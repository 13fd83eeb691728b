/**
 * The objects that the engine reads and writes, by universal identifier: the one place to edit when a workspace
 * already has its own `gift` or `appeal`, or when more objects carry totals. README.md says where to find the
 * identifiers.
 */
import { STANDARD_OBJECT_UNIVERSAL_IDENTIFIERS } from 'twenty-sdk/define';

export const PERSON = STANDARD_OBJECT_UNIVERSAL_IDENTIFIERS.person.universalIdentifier;
export const COMPANY = STANDARD_OBJECT_UNIVERSAL_IDENTIFIERS.company.universalIdentifier;
export const GIFT = 'f4982d50-6be5-40d9-a2d1-6ab97086ead7';
export const APPEAL = 'c072d8d8-b605-4a4d-98c3-86f604c086f9';

/** Objects whose records are added up. */
export const CHILD_OBJECTS: string[] = [GIFT];

/** Objects whose records carry totals. */
export const PARENT_OBJECTS: string[] = [PERSON, COMPANY, APPEAL];

/**
 * Fields of a person that say where the person belongs, for definitions that add people up: updates of others are no
 * concern of theirs. Servers name a relation by either name. Totals must not stand here: they are the engine's own writes.
 */
export const PERSON_FIELDS: string[] = ['household', 'householdId'];
