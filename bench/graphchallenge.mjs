export const description='';export const options={};export async function run(){}
