import { defineObject, FieldType, OnDeleteAction, RelationType } from 'twenty-sdk/define';

import { APPEAL, COMPANY, GIFT, PERSON } from '../objects';
import {
  APPEAL_GIFTS,
  COMPANY_GIFTS,
  GIFT_AMOUNT,
  GIFT_APPEAL,
  GIFT_COMPANY,
  GIFT_DATE,
  GIFT_DONOR,
  GIFT_FEE_AMOUNT,
  GIFT_NAME,
  GIFT_STATUS,
  PERSON_GIFTS,
} from './identifiers';

/** A gift outlives its giver's record, so the books still add up: deleting the parent only clears the reference. */
const manyToOne = (joinColumnName: string) => ({
  relationType: RelationType.MANY_TO_ONE,
  onDelete: OnDeleteAction.SET_NULL,
  joinColumnName,
});

export default defineObject({
  universalIdentifier: GIFT,
  nameSingular: 'gift',
  namePlural: 'gifts',
  labelSingular: 'Gift',
  labelPlural: 'Gifts',
  description: 'Money given by a person or a company',
  icon: 'IconGift',
  labelIdentifierFieldMetadataUniversalIdentifier: GIFT_NAME,
  fields: [
    {
      universalIdentifier: GIFT_NAME,
      type: FieldType.TEXT,
      name: 'name',
      label: 'Name',
      description: 'What the gift is called in lists',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: GIFT_AMOUNT,
      type: FieldType.CURRENCY,
      name: 'amount',
      label: 'Amount',
      description: 'What was given',
      icon: 'IconCoins',
    },
    {
      universalIdentifier: GIFT_FEE_AMOUNT,
      type: FieldType.CURRENCY,
      name: 'feeAmount',
      label: 'Fee amount',
      description: 'What the payment provider kept',
      icon: 'IconReceipt',
    },
    {
      universalIdentifier: GIFT_DATE,
      type: FieldType.DATE,
      name: 'giftDate',
      label: 'Gift date',
      description: 'The day it was given',
      icon: 'IconCalendar',
    },
    {
      universalIdentifier: GIFT_STATUS,
      type: FieldType.TEXT,
      name: 'status',
      label: 'Status',
      description: 'Where the gift stands',
      icon: 'IconProgressCheck',
    },
    {
      universalIdentifier: GIFT_DONOR,
      type: FieldType.RELATION,
      name: 'donor',
      label: 'Donor',
      description: 'The person who gave it',
      icon: 'IconUser',
      relationTargetObjectMetadataUniversalIdentifier: PERSON,
      relationTargetFieldMetadataUniversalIdentifier: PERSON_GIFTS,
      universalSettings: manyToOne('donorId'),
    },
    {
      universalIdentifier: GIFT_COMPANY,
      type: FieldType.RELATION,
      name: 'company',
      label: 'Company',
      description: 'The organisation that gave it',
      icon: 'IconBuildingSkyscraper',
      relationTargetObjectMetadataUniversalIdentifier: COMPANY,
      relationTargetFieldMetadataUniversalIdentifier: COMPANY_GIFTS,
      universalSettings: manyToOne('companyId'),
    },
    {
      universalIdentifier: GIFT_APPEAL,
      type: FieldType.RELATION,
      name: 'appeal',
      label: 'Appeal',
      description: 'The appeal it answers',
      icon: 'IconSpeakerphone',
      relationTargetObjectMetadataUniversalIdentifier: APPEAL,
      relationTargetFieldMetadataUniversalIdentifier: APPEAL_GIFTS,
      universalSettings: manyToOne('appealId'),
    },
  ],
});
