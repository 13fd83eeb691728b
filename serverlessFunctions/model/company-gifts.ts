import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { COMPANY, GIFT } from '../objects';
import { COMPANY_GIFTS, GIFT_COMPANY } from './identifiers';

export default defineField({
  universalIdentifier: COMPANY_GIFTS,
  objectUniversalIdentifier: COMPANY,
  type: FieldType.RELATION,
  name: 'gifts',
  label: 'Gifts',
  description: 'The gifts this organisation gave',
  icon: 'IconGift',
  relationTargetObjectMetadataUniversalIdentifier: GIFT,
  relationTargetFieldMetadataUniversalIdentifier: GIFT_COMPANY,
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
