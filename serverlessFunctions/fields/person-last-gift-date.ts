import { defineField, FieldType } from 'twenty-sdk/define';

import { PERSON } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: 'f484080e-8e83-43d3-b5c2-7a75518852b9',
  objectUniversalIdentifier: PERSON,
  type: FieldType.DATE,
  name: 'lastGiftDate',
  label: 'Last gift date',
  description: 'Day of the latest gift; kept by the rollup engine',
  icon: 'IconCalendar',
});
