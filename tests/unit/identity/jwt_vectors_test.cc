#include <gtest/gtest.h>

#include "base/base64.h"
#include "identity/jwk_set.h"
#include "identity/jws.h"
#include "identity/jwt.h"

// Signatures that others made: the examples of the RFCs, and PyJWT on python3-cryptography.
namespace partywall {
namespace {

struct RfcExample {
  const char* name;
  const char* jwk;
  const char* signed_text;
  const char* signature;
};

// clang-format off
const RfcExample kRfcExamples[] = {
    {"RFC 7515 A.1 HS256",
     R"({"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
     "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"RFC 7515 A.2 RS256",
     R"({"kty":"RSA","alg":"RS256","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})",
     "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"RFC 7515 A.3 ES256",
     R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {"RFC 8037 A.4 EdDSA",
     R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
};
// clang-format on

TEST(JwtVectors, ExamplesOfTheRfcsVerify) {
  for (const RfcExample& example : kRfcExamples) {
    SCOPED_TRACE(example.name);
    const auto keys = parse_jwk_set(std::string("{\"keys\":[") + example.jwk + "]}", "");
    ASSERT_TRUE(keys.has_value()) << keys.error().message;
    const VerificationKey& key = keys->front().key;
    std::string signature = base64url_decode(example.signature).value();
    EXPECT_TRUE(key.verify(example.signed_text, signature));
    EXPECT_FALSE(key.verify(std::string(example.signed_text) + "A", signature));
    for (const size_t changed : {size_t{0}, signature.size() / 2, signature.size() - 1}) {
      std::string wrong = signature;
      wrong[changed] = static_cast<char>(wrong[changed] ^ 1);
      EXPECT_FALSE(key.verify(example.signed_text, wrong));
    }
    EXPECT_FALSE(key.verify(example.signed_text, signature.substr(1)));
    EXPECT_FALSE(key.verify(example.signed_text, signature + std::string(1, '\0')));
    EXPECT_FALSE(key.verify(example.signed_text, ""));
    EXPECT_TRUE(key.verify(example.signed_text, signature));
  }
}

TEST(JwtVectors, UnsupportedExamplesOfRfc7515AreRefused) {
  // A.4 is ES512, A.5 has no signature at all.
  const auto es512 = parse_jws("eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh", kMaxJwtLength);
  ASSERT_FALSE(es512.has_value());
  EXPECT_EQ(es512.error().message, "the algorithm (alg) of the token is not accepted");
  const auto none = parse_jws(
      "eyJhbGciOiJub25lIn0."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ.",
      kMaxJwtLength);
  EXPECT_FALSE(none.has_value());
}

struct ForeignToken {
  const char* algorithm;
  const char* jwk;
  const char* token;
};

// clang-format off
const ForeignToken kForeignTokens[] = {
    {"RS256",
     R"({"kty":"RSA","kid":"RS256","alg":"RS256","n":"7kLb82KrhNYqysECVQuu7NH4kOnPbNiZsk6wuw8P5tLlZMI501TNh_wEf9BbPwUqlQ-sHdnY9S_6v0PhmHEZ6HtreA1PK-8JLUwa8dAiyH5ExFz5cwWlv3fGBvZg93qoUZY-UtlOGTRQ0R8_RUqZhX_tFH6s0bBPPH5efbARhTERUue4T2XBSbJ1AVmCcLNHVNFKjf-9nx7uLCO91tpkY9TsyFBsPoi2Z-wapctYu1kITBbyswtJ_E37rMOPb1jP_qn0QgenTB6wJ_Xt8mpGcL6i-nwFKGGjTPqHIijjsKd9ybXkkUx4KVLKh2FB1uqyA1hf8hKiid87ZpMVjkzHQw","e":"AQAB"})",
     "eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.m7gLqL5Zw1mISoO8bAQHz_ANXZ6VWuW5RprCKJ_AiW82WobMLhQrTpgHUZ-apY10Ei5dqyEHPZoXCx-XOZDrEg-h2MelBlnJP6zXkLJ9R5FfWFKSLXMaMuvC_1Qc1knUVwJe8__E6qCfdnEyefS9xQva5ZmnnZ45dBBSV0p3xGuyMJGR8rO_CtGoZCe29ZHF68O4D4UzffZ0fLLzP8CyE0MUlJ-EZDAHQeRDbqwqMM2LXWb89XLe-kNXwdagC3LyhYBoxRE-_nsRTb7onkwDkjJA6EQqvRZrj1nDied_B7GnAdNzGmPL1UoHnmpIvInJcRb3yJzUgCH3bOkKRe7Czg"},
    {"RS384",
     R"({"kty":"RSA","kid":"RS384","alg":"RS384","n":"7kLb82KrhNYqysECVQuu7NH4kOnPbNiZsk6wuw8P5tLlZMI501TNh_wEf9BbPwUqlQ-sHdnY9S_6v0PhmHEZ6HtreA1PK-8JLUwa8dAiyH5ExFz5cwWlv3fGBvZg93qoUZY-UtlOGTRQ0R8_RUqZhX_tFH6s0bBPPH5efbARhTERUue4T2XBSbJ1AVmCcLNHVNFKjf-9nx7uLCO91tpkY9TsyFBsPoi2Z-wapctYu1kITBbyswtJ_E37rMOPb1jP_qn0QgenTB6wJ_Xt8mpGcL6i-nwFKGGjTPqHIijjsKd9ybXkkUx4KVLKh2FB1uqyA1hf8hKiid87ZpMVjkzHQw","e":"AQAB"})",
     "eyJhbGciOiJSUzM4NCIsImtpZCI6IlJTMzg0IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.bzAkpOGEEvtMCdCF7RK7wom9EjtiQQnnFBf5QC2lOxgfWKDNkN6LeHxY03ltp0qe4hIhE-JEfLknIhK_27_x-sVdr8y_nqc7RJ9YM0XvaGudWYbDgRm3JYFNIRxp6iTn_TyDTcaS-TWXUdNt3pTHWsyR8Bw-ftL5nl09t-9rEJAk0rTrJs6k5vkCpUy3MTyUofrpRG383eUWVyWp5KVvFxz2UuY9KSaO79EzXJJJBfBfu7rNLlbb80JeXLi1grB3ML6lTLiaGGUQ7xvMbjAul7Eh68sUeMOpE2nUiXAzno6J-ohYkiiucFMHejmnrokEzNhosTeHd4t8C9MHmjq1ng"},
    {"RS512",
     R"({"kty":"RSA","kid":"RS512","alg":"RS512","n":"7kLb82KrhNYqysECVQuu7NH4kOnPbNiZsk6wuw8P5tLlZMI501TNh_wEf9BbPwUqlQ-sHdnY9S_6v0PhmHEZ6HtreA1PK-8JLUwa8dAiyH5ExFz5cwWlv3fGBvZg93qoUZY-UtlOGTRQ0R8_RUqZhX_tFH6s0bBPPH5efbARhTERUue4T2XBSbJ1AVmCcLNHVNFKjf-9nx7uLCO91tpkY9TsyFBsPoi2Z-wapctYu1kITBbyswtJ_E37rMOPb1jP_qn0QgenTB6wJ_Xt8mpGcL6i-nwFKGGjTPqHIijjsKd9ybXkkUx4KVLKh2FB1uqyA1hf8hKiid87ZpMVjkzHQw","e":"AQAB"})",
     "eyJhbGciOiJSUzUxMiIsImtpZCI6IlJTNTEyIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.Dqetj3MM6DVHv6fUpThBer7P_tji4Nq3-H4tumhT8qUcmkJddiIhp724Yu8DkoepRHJdVqYvuKnWYJHnDMcnph6QvVKdAItZyFlnSOnoZ2CrDD1Q3BNov66kAtVSCC2yPeIkL3DbGd4AspQBFKYGrfm3cddTgnt8bL7meYhBFdKzph1AwYfwtyNAktTcQOYS5T3k51YpABCQlC9WSSpRECkZpqtzYsjw8QdouePFck0M6fUGhs4xbXDrO0w2qbs5M_GQeXoSnGcD-c7xpP3CJlPH4BiGOL5s8QfP69xD8LVok-Mhz4RpkyiX5sAdgmO3cYFCrxCIPksEx_LZS2EeSA"},
    {"PS256",
     R"({"kty":"RSA","kid":"PS256","alg":"PS256","n":"7kLb82KrhNYqysECVQuu7NH4kOnPbNiZsk6wuw8P5tLlZMI501TNh_wEf9BbPwUqlQ-sHdnY9S_6v0PhmHEZ6HtreA1PK-8JLUwa8dAiyH5ExFz5cwWlv3fGBvZg93qoUZY-UtlOGTRQ0R8_RUqZhX_tFH6s0bBPPH5efbARhTERUue4T2XBSbJ1AVmCcLNHVNFKjf-9nx7uLCO91tpkY9TsyFBsPoi2Z-wapctYu1kITBbyswtJ_E37rMOPb1jP_qn0QgenTB6wJ_Xt8mpGcL6i-nwFKGGjTPqHIijjsKd9ybXkkUx4KVLKh2FB1uqyA1hf8hKiid87ZpMVjkzHQw","e":"AQAB"})",
     "eyJhbGciOiJQUzI1NiIsImtpZCI6IlBTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.3SWy31AJSKkd7ur01tqYbvHOsB94jzflEz9MQ6iav6_hr1gnBzeFo4-4-bdO9mTofLhSzCEp6eB9Ftdf_Wi256OUdQ5K-ZZwO6ut_4GBFHsPCvlVsM3eXtBUnPgsQssfSJj2Tdof7wlOYulDQiNjWDzCf2R3HRZj2AkLPpTsRANbBSS2SGDEwhymZgNuInWr48Ok1ZFGN-7ykglZwLrygKKQQ4JROneZ7m8bE63b0bUEf3rYcv31OhWM-pLQal5Aa0s2wM6VWob_EEgXWWwxFfDjPUELe-h7tzBAEpX7zM3NzvIZuQo8mstlrOfT2UoRYHZbVnR-Zv1UG1avzJxwrA"},
    {"PS384",
     R"({"kty":"RSA","kid":"PS384","alg":"PS384","n":"7kLb82KrhNYqysECVQuu7NH4kOnPbNiZsk6wuw8P5tLlZMI501TNh_wEf9BbPwUqlQ-sHdnY9S_6v0PhmHEZ6HtreA1PK-8JLUwa8dAiyH5ExFz5cwWlv3fGBvZg93qoUZY-UtlOGTRQ0R8_RUqZhX_tFH6s0bBPPH5efbARhTERUue4T2XBSbJ1AVmCcLNHVNFKjf-9nx7uLCO91tpkY9TsyFBsPoi2Z-wapctYu1kITBbyswtJ_E37rMOPb1jP_qn0QgenTB6wJ_Xt8mpGcL6i-nwFKGGjTPqHIijjsKd9ybXkkUx4KVLKh2FB1uqyA1hf8hKiid87ZpMVjkzHQw","e":"AQAB"})",
     "eyJhbGciOiJQUzM4NCIsImtpZCI6IlBTMzg0IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.gun8q9HsZmOGnmPfAHrdehmGBeX8SnAsY3SbB-V3eKhG9ovf_06gCel9zh_dNN8A9l-xG8NrIA1bypWXPjjbI4yLIzxCR1eY1QS1KZ9XYcfk_jLEH5IvBMBdUKOs-J2CwRGvyoEhjvx_gQ8M5Yu9UnIVeeEM_1_fZm_oReBm-BZ581e-FmG4vVYRICBXqmCU_0YoqxatVPHX0H5RGgT80UMqbITpVVy6qLeHwf3HQ0Eb91l_r_-NQat6vPuGY1hKosUWzGMTu--um3X-5HNdqh9GRd6fym_3oC1Q6zXsYWqVPiIeC67Q1An1p6UjkSJxMyaX2j5FU2qCtaJFNl-J8Q"},
    {"PS512",
     R"({"kty":"RSA","kid":"PS512","alg":"PS512","n":"7kLb82KrhNYqysECVQuu7NH4kOnPbNiZsk6wuw8P5tLlZMI501TNh_wEf9BbPwUqlQ-sHdnY9S_6v0PhmHEZ6HtreA1PK-8JLUwa8dAiyH5ExFz5cwWlv3fGBvZg93qoUZY-UtlOGTRQ0R8_RUqZhX_tFH6s0bBPPH5efbARhTERUue4T2XBSbJ1AVmCcLNHVNFKjf-9nx7uLCO91tpkY9TsyFBsPoi2Z-wapctYu1kITBbyswtJ_E37rMOPb1jP_qn0QgenTB6wJ_Xt8mpGcL6i-nwFKGGjTPqHIijjsKd9ybXkkUx4KVLKh2FB1uqyA1hf8hKiid87ZpMVjkzHQw","e":"AQAB"})",
     "eyJhbGciOiJQUzUxMiIsImtpZCI6IlBTNTEyIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.wazB4OgQVZonSGBxQeqhtbO91ITmtbz_4cQZp_SCBd2vLNR9ppDCOo5pNlczfTQCZJYpYUoctJZtbyrYOAMVui5fPYnq7QJZeYLbL7f1CqhTTNAvKcadsFt8Rqjot4hq8gepnvZo9QlAT_TX5YJvZp0gZiT_KSRMC56X9bNSyrmcXlgkNi1GeoIa0yui-Amp203QZULoLbqLzdDi9B5nWfKgPhDQpfOPxyLvKl5Hb6-XEsdRvbwfrZzYTVMDyV26apiCSM8-nF_2w6QacyOXCOWc2QKIO74vNqaOe5bFXI4_9716_rGvm421JwAxNn7CgaZgYehh0vrt67ABPDOgtg"},
    {"ES256",
     R"({"kty":"EC","crv":"P-256","kid":"ES256","x":"6SzAQKRwvN3sgIPhxxKRU5ODG8oHllL0ZnY8nginuHE","y":"K_Szc87INYbYQRx-qnTThGha5fIdKA-1X4Jg0eT0HQU"})",
     "eyJhbGciOiJFUzI1NiIsImtpZCI6IkVTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.rc8OpGQCDg1d_PRJZYinmim1j_sl6pULAd08YDj1hlzy-9ZU_v4S_gzQah6If5k0nhA1QfmVp85h1OACBopREQ"},
    {"ES384",
     R"({"kty":"EC","crv":"P-384","kid":"ES384","x":"ElTRyYmakvjBZvmeAEPGIhQuxtwnfc6uRVVfGQL3q3YBZKF1jclOWVAMm3jXximN","y":"gGI8-FO2iG0lvLgRYJN1p-IKBv9XrYcpw2ZP0GdqNeyNactqPfkbxRC8M5PS2yC_"})",
     "eyJhbGciOiJFUzM4NCIsImtpZCI6IkVTMzg0IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.RqDOA4l_FljNCoiGmzeVleamBogedejvRObMo0y4QiqDrLksZKo6SPnyCwD77LPTFoFBq7NheklbsmQgS1gqGMDqvp8ZbIA_M6zvigzgbQLzGd5wljkre4SaN34yCfVD"},
    {"EdDSA",
     R"({"kty":"OKP","crv":"Ed25519","kid":"EdDSA","x":"b0JQCpgqUItcvg2kYa9dHx2w05UcSP2u8xhaDwQ7Vco"})",
     "eyJhbGciOiJFZERTQSIsImtpZCI6IkVkRFNBIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.jl93uD-JfMZCeMDISft94aeR5VxsiaQA5PyFkz6ABxHkUrXJ1cKtMRVGJgYVe6ovQ6e3QV8nJ-8QyXSdVv59AQ"},
    {"HS256",
     R"({"kty":"oct","alg":"HS256","kid":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"})",
     "eyJhbGciOiJIUzI1NiIsImtpZCI6IkhTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJhdWQiOlsib3RoZXIiLCJwYXJ0eXdhbGwiXSwic3ViIjoiYWxpY2UiLCJ0ZW5hbnRfaWQiOiJhY21lIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.2pyBS39qIRTRcIY8GS1gEY96wxBD1wpLOi9bPxNCAmM"},
};
// clang-format on

TEST(JwtVectors, TokensOfPyJwtAreAccepted) {
  for (const ForeignToken& foreign : kForeignTokens) {
    SCOPED_TRACE(foreign.algorithm);
    const Issuer issuer{.issuer = "https://login.example",
                        .audience = "partywall",
                        .key_set = std::string("{\"keys\":[") + foreign.jwk + "]}"};
    const auto verifier = JwtVerifier::create({issuer});
    ASSERT_TRUE(verifier.has_value()) << verifier.error().message;
    const WallTime now{seconds(1'700'000'100)};
    const auto token = (*verifier)->verify(foreign.token, now);
    ASSERT_TRUE(token.has_value()) << token.error().message;
    EXPECT_EQ(token->issuer, "https://login.example");
    EXPECT_EQ(token->subject, "alice");
    EXPECT_EQ(token->tenant, "acme");
    EXPECT_EQ(token->expires_at, WallTime(seconds(1'700'000'300)));
    EXPECT_FALSE((*verifier)->verify(foreign.token, now + hours(1)).has_value());
  }
}

// One key set with all of them: each token finds its own key, and fits no other.
TEST(JwtVectors, EachTokenFindsItsKeyAmongAll) {
  std::string key_set;
  for (const ForeignToken& foreign : kForeignTokens)
    key_set += (key_set.empty() ? "" : ",") + std::string(foreign.jwk);
  const Issuer issuer{.issuer = "https://login.example",
                      .audience = "partywall",
                      .key_set = "{\"keys\":[" + key_set + "]}"};
  const auto verifier = JwtVerifier::create({issuer});
  ASSERT_TRUE(verifier.has_value()) << verifier.error().message;
  for (const ForeignToken& foreign : kForeignTokens) {
    EXPECT_TRUE((*verifier)->verify(foreign.token, WallTime(seconds(1'700'000'100))).has_value())
        << foreign.algorithm;
  }
}

}  // namespace
}  // namespace partywall
