// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { COMPANY, GIFT } from '../objects';

export default defineField({
  universalIdentifier: '560549fe-fdd2-4422-bc79-bb6108e80470',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.RELATION,
  name: 'gifts',
  label: 'Gifts',
  icon: 'IconGift',
  relationTargetObjectMetadataUniversalIdentifier: GIFT,
  relationTargetFieldMetadataUniversalIdentifier: 'a4b76354-6483-40a6-abb8-adc3a7fa8931',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
