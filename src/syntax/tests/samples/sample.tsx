import { FC } from "react";

interface Props {
  name: string;
}

export const Hello: FC<Props> = ({ name }) => {
  const greeting = `Hello, ${name}`;
  return <p className="greeting">{greeting}</p>;
};
