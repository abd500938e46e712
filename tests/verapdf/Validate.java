import java.io.FileInputStream;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Asks veraPDF whether files follow a standard: Validate FLAVOUR FILE…; a tab-separated line a file, and one a broken rule. */
public class Validate {
    private static final int MOST_TOLD = 1_000_000;

    public static void main(String[] words) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        PDFAFlavour flavour = PDFAFlavour.byFlavourId(words[0]);
        for (int index = 1; index < words.length; index++) {
            try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(words[index]), flavour)) {
                ValidationResult result = Foundries.defaultInstance()
                    .createValidator(flavour, MOST_TOLD, false, false, false).validate(parser);
                System.out.println("file\t" + words[index] + "\t" + result.isCompliant() + "\t" + result.getTotalAssertions());
                Map<String, Integer> broken = new TreeMap<>();
                for (TestAssertion told : result.getTestAssertions()) {
                    if (told.getStatus() == TestAssertion.Status.FAILED) {
                        String rule = told.getRuleId().getClause() + "-" + told.getRuleId().getTestNumber();
                        broken.merge(rule + " " + told.getMessage(), 1, Integer::sum);
                    }
                }
                broken.forEach((rule, count) -> System.out.println("broken\t" + count + "\t" + rule));
            }
        }
    }
}
