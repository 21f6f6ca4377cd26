/* Licensed to nobody. */
package org.example.shop;

import java.util.List;
import static java.util.Map.entry;

/**
 * A shop with <b>many</b> things.
 *
 * <p>It opens at nine.
 */
@Service
public class Shop extends Base implements Open {
    private static final int LIMIT = 10;

    /** What there is. */
    private final List<String> things;

    public Shop(List<String> things) {
        this.things = things;
        check(things.size() <= LIMIT);
    }

    @Override
    public String toString() {
        return "Shop" + things;
    }

    public <T> T find(
            String name,
            Class<T> kind) throws NotFound {
        for (String thing : things) {
            if (thing.equals(name)) return kind.cast(thing);
        }
        throw new NotFound(name);
    }

    enum Day {
        MONDAY, TUESDAY;

        boolean isOpen() {
            return this != MONDAY && this.ordinal() > 0;
        }
    }

    interface Visitor {
        void visit(Shop shop);
    }

    record Price(int cents, String currency) {
    }
}
