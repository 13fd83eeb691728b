/**
 * Universal identifiers of the model's fields. The two ends of a relation name each other, so they are kept together.
 */
export const GIFT_NAME = '052aa2d6-446d-4874-bacb-7dd152765591';
export const GIFT_AMOUNT = '888c6c2d-a26f-421b-9dae-44a6316af19e';
export const GIFT_FEE_AMOUNT = '9c8dff9e-27e2-45a4-bf15-885d58da471a';
export const GIFT_DATE = '9e3388e9-8a5a-4a23-9956-fc26cf34bed6';
export const GIFT_STATUS = 'b1585f06-a31e-461f-ab05-b2757ba256b2';
export const GIFT_DONOR = '77b8c0d0-119e-4a1c-b3d3-3968cfdb3e55';
export const GIFT_COMPANY = 'a4b76354-6483-40a6-abb8-adc3a7fa8931';
export const GIFT_APPEAL = '76454c2b-f282-4f5c-884a-cb63bf8a9749';
export const APPEAL_NAME = 'd8b8bb8f-bd02-4a70-a8e5-26797d2fcb0e';
export const APPEAL_RAISED_AMOUNT = 'ab3a35e2-e4b2-4ff0-8689-9c474bb03b3f';
export const APPEAL_GIFT_COUNT = '7c44e10e-06db-4b5e-a635-c0b278e9ed0a';
export const APPEAL_GIFTS = '236756b4-9437-4f92-b462-d722b1e9b05a';
export const PERSON_GIFTS = 'e931947d-7d62-48af-bea7-03d30cbcf18c';
export const COMPANY_GIFTS = '560549fe-fdd2-4422-bc79-bb6108e80470';
