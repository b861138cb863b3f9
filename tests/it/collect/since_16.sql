grant "{db}_agent" to "{db}_app" with inherit true, set false;
